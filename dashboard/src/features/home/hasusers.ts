import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** Whether a project has users. */
export const hasUsersQuery = (ref: string) =>
  queryOptions({
    queryKey: ['has-users', ref],
    queryFn: async ({ signal }) => ((await answer(api.GET('/v1/projects/{ref}/auth/users', { params: { path: { ref }, query: { limit: 1 } }, signal }))).users ?? []).length > 0,
  })
