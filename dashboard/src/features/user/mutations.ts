// What is done to a user. Each invalidates the user, the timeline, and changes or
// renews the lists.
import { useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import { userQuery } from './user'
import { changeInLists, renewLists, type Summary } from './users'

const again = (queries: QueryClient, ref: string, id: string) =>
  Promise.all([queries.invalidateQueries({ queryKey: userQuery(ref, id).queryKey }), queries.invalidateQueries({ queryKey: ['timeline', ref, id] })])

/** The fields of a list from a user with metadata. */
function summaryOf({ app_metadata: _, user_metadata: __, new_email: ___, new_phone: ____, has_password: _____, ...summary }: Schema<'User'>): Summary {
  return summary
}

function useUserMutation<Input>(ref: string, id: string, send: (input: Input) => Promise<Schema<'User'>>) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: send,
    onSuccess: (user) => {
      changeInLists(queries, ref, (u) => (u.id === id ? summaryOf(user) : u))
      return again(queries, ref, id)
    },
  })
}

/** Changes attributes of a user who still has the version updated_at. */
export const useChangeUser = (ref: string, id: string) =>
  useUserMutation(ref, id, (body: Schema<'UserAttributes'> & { updated_at?: string }) => answer(api.PATCH('/v1/projects/{ref}/auth/users/{id}', { params: { path: { ref, id } }, body })))

/** Bans for a duration such as "24h", or "forever". */
export const useBan = (ref: string, id: string) =>
  useUserMutation(ref, id, (duration: string) => answer(api.POST('/v1/projects/{ref}/auth/users/{id}/ban', { params: { path: { ref, id } }, body: { duration } })))

export const useUnban = (ref: string, id: string) =>
  useUserMutation(ref, id, (_: void) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}/ban', { params: { path: { ref, id } } })))

function usePartMutation<Input, Out>(ref: string, id: string, send: (input: Input) => Promise<Out>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: send, onSuccess: () => again(queries, ref, id) })
}

export const useEndSessions = (ref: string, id: string) =>
  usePartMutation(ref, id, (_: void) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}/sessions', { params: { path: { ref, id } } })))

export const useEndSession = (ref: string, id: string) =>
  usePartMutation(ref, id, (session_id: string) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}/sessions/{session_id}', { params: { path: { ref, id, session_id } } })))

export const useUnlink = (ref: string, id: string) =>
  usePartMutation(ref, id, (identity_id: string) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}/identities/{identity_id}', { params: { path: { ref, id, identity_id } } })))

export const useRenameFactor = (ref: string, id: string) =>
  usePartMutation(ref, id, (factor: { id: string; name: string }) =>
    answer(api.PATCH('/v1/projects/{ref}/auth/users/{id}/factors/{factor_id}', { params: { path: { ref, id, factor_id: factor.id } }, body: { friendly_name: factor.name } })),
  )

export const useDeleteFactor = (ref: string, id: string) =>
  usePartMutation(ref, id, (factor_id: string) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}/factors/{factor_id}', { params: { path: { ref, id, factor_id } } })))

export const useDeletePasskey = (ref: string, id: string) =>
  usePartMutation(ref, id, (passkey_id: string) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}/passkeys/{passkey_id}', { params: { path: { ref, id, passkey_id } } })))

export type LinkKind = 'recovery' | 'magiclink' | 'invite' | 'confirmation'

export const useMail = (ref: string, id: string) =>
  usePartMutation(ref, id, (body: { type: LinkKind; redirect_to?: string }) => answer(api.POST('/v1/projects/{ref}/auth/users/{id}/mail', { params: { path: { ref, id } }, body })))

export const useLink = (ref: string, id: string) =>
  usePartMutation(ref, id, (body: { type: LinkKind; redirect_to?: string }) => answer(api.POST('/v1/projects/{ref}/auth/users/{id}/link', { params: { path: { ref, id } }, body })))

export function useDeleteUser(ref: string, id: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (soft: boolean) => answer(api.DELETE('/v1/projects/{ref}/auth/users/{id}', { params: { path: { ref, id }, query: { soft } } })),
    onSuccess: (_, soft) => {
      changeInLists(queries, ref, (u) => (u.id === id ? undefined : u))
      if (soft) return again(queries, ref, id)
      queries.removeQueries({ queryKey: ['timeline', ref, id] })
    },
  })
}

export function useCreateUser(ref: string) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: (body: Schema<'UserAttributes'>) => answer(api.POST('/v1/projects/{ref}/auth/users', { params: { path: { ref } }, body })), onSuccess: () => renewLists(queries, ref) })
}

export function useInvite(ref: string) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: (body: Schema<'UserInviteBody'>) => answer(api.POST('/v1/projects/{ref}/auth/users/invite', { params: { path: { ref } }, body })), onSuccess: () => renewLists(queries, ref) })
}
