import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Detail = Schema<'UserDetail'>

/** A user with identities, factors, sessions, messages and standing. */
export const userQuery = (ref: string, id: string) =>
  queryOptions({
    queryKey: ['user', ref, id],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/auth/users/{id}', { params: { path: { ref, id } }, signal })),
    refetchInterval: 5000,
  })
