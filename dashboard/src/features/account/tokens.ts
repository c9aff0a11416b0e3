import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Token = Schema<'AccesstokenToken'>

/** The access tokens of the person who is signed in. */
export const tokensQuery = queryOptions({ queryKey: ['access-tokens'], queryFn: async ({ signal }) => (await answer(api.GET('/v1/profile/access-tokens', { signal }))) ?? [] })

/** Creates a token; the answer alone has its text. */
export function useCreateToken() {
  const queries = useQueryClient()
  return useMutation({
    gcTime: 0,
    mutationFn: (body: Schema<'AccesstokenCreateBody'>) => answer(api.POST('/v1/profile/access-tokens', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  })
}

export function useRevokeToken() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/v1/profile/access-tokens/{id}', { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  })
}
