import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type LogEntry = Schema<'LogsEntry'>
export type Level = LogEntry['level']

/** What the address of the log holds. */
export type LogSearch = { q?: string; level?: Level; code?: string; user?: string; request?: string; range?: Range; live?: boolean; entry?: string }
export type Range = '15m' | '1h' | '1d' | '3d'

const seconds: Record<Range, number> = { '15m': 900, '1h': 3600, '1d': 86_400, '3d': 259_200 }
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The filters of a search as the API takes them. An id that is none finds nothing. */
export const filtersOf = (s: LogSearch) => ({
  text: s.q || undefined,
  level: s.level,
  code: s.code || undefined,
  user_id: s.user ? (uuid.test(s.user) ? s.user : '00000000-0000-0000-0000-000000000000') : undefined,
  request_id: s.request || undefined,
})

/** The entries of a project's log, the newest first, page by page. */
export function logsQuery(ref: string, search: LogSearch) {
  const filters = filtersOf(search)
  return infiniteQueryOptions({
    queryKey: ['logs', ref, filters, search.range],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const since = search.range && new Date(Date.now() - seconds[search.range] * 1000).toISOString()
      return answer(api.GET('/v1/projects/{ref}/logs', { params: { path: { ref }, query: { ...filters, since, before: pageParam, limit: 100 } }, signal }))
    },
    getNextPageParam: (page) => page.next ?? undefined,
  })
}

/** One entry, whatever the filters are; null if there is none any more. */
export const logEntryQuery = (ref: string, id: string) =>
  queryOptions({
    queryKey: ['log-entry', ref, id],
    queryFn: async ({ signal }) => {
      if (!uuid.test(id)) return null
      return (await answer(api.GET('/v1/projects/{ref}/logs', { params: { path: { ref }, query: { id } }, signal }))).logs?.[0] ?? null
    },
    staleTime: 60_000,
  })
