import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** What a version changed; with from, in what it differs from that one. Kept versions never change. */
export const compareQuery = (ref: string, version: number, from?: number) =>
  queryOptions({
    queryKey: ['auth-config-compare', ref, version, from ?? 0],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/config/auth/history/{version}', { params: { path: { ref, version }, query: from ? { from } : {} }, signal })),
    staleTime: Infinity,
  })
