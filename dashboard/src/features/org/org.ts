import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { orgsQuery } from './orgs'

/** An organization. */
export const orgQuery = (slug: string) =>
  queryOptions({ queryKey: ['org', slug], queryFn: ({ signal }) => answer(api.GET('/v1/organizations/{slug}', { params: { path: { slug } }, signal })) })

/** Gives an organization another name. */
export function useRename(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => answer(api.PATCH('/v1/organizations/{slug}', { params: { path: { slug } }, body: { name } })),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ['org', slug] }), queries.invalidateQueries({ queryKey: orgsQuery.queryKey })]),
  })
}

/** Deletes an organization without projects. */
export function useDeleteOrg(slug: string) {
  return useMutation({ mutationFn: () => answer(api.DELETE('/v1/organizations/{slug}', { params: { path: { slug } } })) })
}
