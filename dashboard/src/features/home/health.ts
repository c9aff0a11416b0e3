import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** Whether the services of a project work, and what a developer should look at. */
export const healthQuery = (ref: string) =>
  queryOptions({
    queryKey: ['health', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/health', { params: { path: { ref } }, signal }))) ?? [],
    refetchInterval: 60_000,
  })
