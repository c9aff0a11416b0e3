import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type KeyUse = Schema<'ApikeyUse'>

/** Who used the keys of a project last, and how often a day. */
export const keyUsageQuery = (ref: string) =>
  queryOptions({
    queryKey: ['keys', ref, 'usage'],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/api-keys/usage', { params: { path: { ref } }, signal }))) ?? [],
    refetchInterval: 30_000,
  })

/** The counts of the last days up to today (UTC), with the days of none. */
export function daily(use: KeyUse | undefined, days: number, today = new Date()) {
  const counts = new Map((use?.days ?? []).map((d) => [d.day, d.count]))
  return Array.from({ length: days }, (_, i) => {
    const day = new Date(today.getTime() - (days - 1 - i) * 86_400_000).toISOString().slice(0, 10)
    return { at: day, count: counts.get(day) ?? 0 }
  })
}
