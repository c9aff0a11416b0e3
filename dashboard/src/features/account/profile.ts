import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

/** The person who is signed in. */
export const profileQuery = queryOptions({ queryKey: ['profile'], queryFn: ({ signal }) => answer(api.GET('/v1/profile', { signal })), staleTime: 60_000 })

export function useRename() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => answer(api.PATCH('/v1/profile', { body: { name } })),
    onSuccess: (profile) => queries.setQueryData(profileQuery.queryKey, profile),
  })
}

/** Mails a link to the new address. */
export const useChangeEmail = () => useMutation({ mutationFn: (email: string) => answer(api.POST('/v1/profile/email', { body: { email } })) })

/** Ends the other sessions as well. */
export function useChangePassword() {
  const queries = useQueryClient()
  return useMutation({
    gcTime: 0,
    mutationFn: (body: Schema<'ProfilePasswordChange'>) => answer(api.POST('/v1/profile/password', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  })
}

/** Mails a code that a change of the password asks for. */
export const useReauthenticate = () => useMutation({ mutationFn: () => answer(api.POST('/v1/profile/reauthenticate')) })
