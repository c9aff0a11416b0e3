import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The limits, with what each refused lately. */
export const rateLimitsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['rate-limits', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/config/auth/rate-limits', { params: { path: { ref } }, signal }))).limits ?? [],
  })
