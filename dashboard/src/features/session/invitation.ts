import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The invitation of a mailed link. The token is in the body: addresses are logged. */
export const invitationQuery = (token: string) =>
  queryOptions({ queryKey: ['invitation', token], queryFn: ({ signal }) => answer(api.POST('/dashboard/invitation', { body: { token }, signal })), enabled: token !== '', retry: false, staleTime: Infinity })

/** Accepts it as who is signed in. */
export const useAccept = (token: string) => useMutation({ mutationFn: () => answer(api.POST('/v1/invitations/accept', { body: { token } })) })

/** Makes an account by it, and signs in. */
export const useJoin = (token: string) =>
  useMutation({ gcTime: 0, mutationFn: (form: { name: string; password: string }) => answer(api.POST('/dashboard/invitation/sign-up', { body: { token, ...form } })) })
