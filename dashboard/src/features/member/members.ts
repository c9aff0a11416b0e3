import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

const key = (slug: string) => ['members', slug]

/** The members of an organization. */
export const membersQuery = (slug: string) =>
  queryOptions({
    queryKey: key(slug),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/organizations/{slug}/members', { params: { path: { slug } }, signal }))) ?? [],
  })

/** Gives a member another role. */
export function useChangeRole(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: string }) => answer(api.PATCH('/v1/organizations/{slug}/members/{id}', { params: { path: { slug, id } }, body: { role } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}

/** Removes a member; one's own id leaves. */
export function useRemoveMember(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/v1/organizations/{slug}/members/{id}', { params: { path: { slug, id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}

/** Makes another member the owner in one's place. */
export function useTransfer(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (user_id: string) => answer(api.POST('/v1/organizations/{slug}/transfer', { params: { path: { slug } }, body: { user_id } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}
