import { infiniteQueryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Version = Schema<'AuthconfigVersion'>
const size = 50

/** The versions of the configuration, the newest first. */
export const versionsQuery = (ref: string) =>
  infiniteQueryOptions({
    queryKey: ['auth-config-history', ref],
    queryFn: async ({ pageParam, signal }) =>
      (await answer(api.GET('/v1/projects/{ref}/config/auth/history', { params: { path: { ref }, query: { limit: size, ...(pageParam ? { before: pageParam } : {}) } }, signal }))) ?? [],
    initialPageParam: 0,
    getNextPageParam: (last: Version[]) => (last.length === size ? last.at(-1)?.version : undefined),
  })
