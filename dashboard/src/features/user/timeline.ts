import { infiniteQueryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

export type Source = 'audit' | 'log'

/** What a user did, what was done to them, and why they were refused. */
export const timelineQuery = (ref: string, id: string, source?: Source) =>
  infiniteQueryOptions({
    queryKey: ['timeline', ref, id, source ?? ''],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/v1/projects/{ref}/auth/users/{id}/timeline', { params: { path: { ref, id }, query: { source, limit: 30, ...(pageParam && { cursor: pageParam }) } }, signal })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    // A try that is refused now is seen soon, unless somebody reads what is older.
    refetchInterval: (query) => (query.state.data && query.state.data.pages.length > 1 ? false : 5000),
  })
