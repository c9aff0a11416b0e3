import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

const key = (slug: string) => ['service-tokens', slug]

/** The service tokens of an organization. */
export const serviceTokensQuery = (slug: string) =>
  queryOptions({
    queryKey: key(slug),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/organizations/{slug}/service-tokens', { params: { path: { slug } }, signal }))) ?? [],
  })

/** Creates a service token; the answer alone has its text. */
export function useCreateServiceToken(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'ServicetokenCreateBody'>) => answer(api.POST('/v1/organizations/{slug}/service-tokens', { params: { path: { slug } }, body })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}

/** Revokes a service token. */
export function useRevokeServiceToken(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/v1/organizations/{slug}/service-tokens/{id}', { params: { path: { slug, id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}
