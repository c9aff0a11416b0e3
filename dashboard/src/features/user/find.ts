import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The first users of a project that a text finds. */
export const findUsersQuery = (ref: string, q: string) =>
  queryOptions({
    queryKey: ['find-users', ref, q],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/auth/users', { params: { path: { ref }, query: { q, limit: 6 } }, signal }))).users ?? [],
    enabled: ref !== '' && q.length >= 2,
    staleTime: 10_000,
    retry: false,
    placeholderData: keepPreviousData,
  })
