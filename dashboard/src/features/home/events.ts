import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The latest events of a project: what was done, and what was refused. */
export const lastEventsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['last-events', ref],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/events', { params: { path: { ref }, query: { limit: 5 } }, signal })),
    refetchInterval: 15_000,
  })
