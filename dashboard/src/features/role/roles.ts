import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

const key = (slug: string) => ['roles', slug]

/** The roles of an organization with their permissions: built-in ones first. */
export const rolesQuery = (slug: string) =>
  queryOptions({
    queryKey: key(slug),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/organizations/{slug}/roles', { params: { path: { slug } }, signal }))) ?? [],
    staleTime: 60_000,
  })

export type RoleBody = Schema<'MemberRoleBody'>

/** Defines a role, or replaces one. */
export function useSaveRole(slug: string, existing: boolean) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ name, ...body }: RoleBody & { name: string }) =>
      existing
        ? answer(api.PUT('/v1/organizations/{slug}/roles/{name}', { params: { path: { slug, name } }, body }))
        : answer(api.POST('/v1/organizations/{slug}/roles', { params: { path: { slug } }, body: { name, ...body } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}

/** Deletes a role that nobody has. */
export function useDeleteRole(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => answer(api.DELETE('/v1/organizations/{slug}/roles/{name}', { params: { path: { slug, name } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}
