import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

const key = (slug: string) => ['invitations', slug]

/** The open invitations of an organization. */
export const invitationsQuery = (slug: string) =>
  queryOptions({
    queryKey: key(slug),
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/organizations/{slug}/invitations', { params: { path: { slug } }, signal }))) ?? [],
  })

/** Invites an address. */
export function useInvite(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'MemberInviteBody'>) => answer(api.POST('/v1/organizations/{slug}/invitations', { params: { path: { slug } }, body })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}

/** Mails an invitation again, with a new link. */
export function useResend(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.POST('/v1/organizations/{slug}/invitations/{id}/resend', { params: { path: { slug, id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}

/** Ends an invitation. */
export function useRevoke(slug: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/v1/organizations/{slug}/invitations/{id}', { params: { path: { slug, id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key(slug) }),
  })
}
