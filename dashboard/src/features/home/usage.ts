import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Point = Schema<'UsagePoint'>

export const ranges = ['24h', '7d', '30d', '90d'] as const
export type Range = (typeof ranges)[number]

const spans: Record<Range, { points: number; interval: 'hour' | 'day' }> = { '24h': { points: 24, interval: 'hour' }, '7d': { points: 7, interval: 'day' }, '30d': { points: 30, interval: 'day' }, '90d': { points: 90, interval: 'day' } }

export const hourly = (range: Range) => spans[range].interval === 'hour'

/** How much a project is used in a range, and in the one before it. */
export const usageQuery = (ref: string, range: Range) =>
  queryOptions({
    queryKey: ['usage', ref, range],
    queryFn: async ({ signal }) => {
      const { points, interval } = spans[range]
      const step = interval === 'hour' ? 3_600_000 : 86_400_000
      const to = new Date()
      const from = new Date(to.getTime() - (2 * points - 1) * step)
      const usage = await answer(api.GET('/v1/projects/{ref}/usage', { params: { path: { ref }, query: { from: from.toISOString(), to: to.toISOString(), interval } }, signal }))
      const all = usage.points ?? []
      return { now: all.slice(-points), before: all.slice(0, -points) }
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    refetchInterval: 60_000,
  })

export const sum = (points: Point[], of: (p: Point) => number) => points.reduce((total, p) => total + of(p), 0)

/** The keys of counts that are largest, at most a number of them. */
export function largest(points: Point[], of: (p: Point) => Record<string, number>, most: number): string[] {
  const totals = new Map<string, number>()
  for (const p of points) for (const [key, n] of Object.entries(of(p))) totals.set(key, (totals.get(key) ?? 0) + n)
  return [...totals].sort((a, b) => b[1] - a[1]).slice(0, most).map(([key]) => key)
}

/** The counts of some keys, and of all others together. */
export function grouped(counts: Record<string, number>, keys: string[]): Record<string, number> {
  const out: Record<string, number> = Object.fromEntries(keys.map((key) => [key, counts[key] ?? 0]))
  out.other = Object.entries(counts).reduce((total, [key, n]) => (keys.includes(key) ? total : total + n), 0)
  return out
}
