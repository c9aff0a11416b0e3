import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import { orgsQuery } from './orgs'

/** An organization. */
export const orgQuery = (slug: string) =>
  queryOptions({ queryKey: ['org', slug], queryFn: ({ signal }) => answer(api.GET('/v1/organizations/{slug}', { params: { path: { slug } }, signal })) })

/** Changes an organization. */
export function useChangeOrg(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'OrgUpdateBody'>) => answer(api.PATCH('/v1/organizations/{slug}', { params: { path: { slug } }, body })),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ['org', slug] }), queries.invalidateQueries({ queryKey: orgsQuery.queryKey })]),
  })
}

/** Deletes an organization without projects. */
export function useDeleteOrg(slug: string) {
  return useMutation({ mutationFn: () => answer(api.DELETE('/v1/organizations/{slug}', { params: { path: { slug } } })) })
}
