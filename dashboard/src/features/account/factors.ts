import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { makePasskey } from '@/lib/passkey'

const queryKey = ['factors']

/** What the person proves who they are with, and what they can add. */
export const factorsQuery = queryOptions({ queryKey, queryFn: ({ signal }) => answer(api.GET('/v1/profile/factors', { signal })) })

function useChanged() {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey })
}

/** Begins to add an authenticator app. */
export const useEnroll = () => useMutation({ gcTime: 0, mutationFn: () => answer(api.POST('/v1/profile/factors', { body: {} })) })

/** Proves a code of an app. What was closed without a second factor is open then. */
export function useProve() {
  const queries = useQueryClient()
  return useMutation({
    gcTime: 0,
    mutationFn: (body: { factor_id: string; code: string }) => answer(api.POST('/dashboard/session/factor', { body })),
    onSuccess: () => queries.invalidateQueries(),
  })
}

export function useRemoveFactor() {
  const onSettled = useChanged()
  return useMutation({ mutationFn: (id: string) => answer(api.DELETE('/v1/profile/factors/{id}', { params: { path: { id } } })), onSettled })
}

/** Makes recovery codes, in place of those that there are. */
export function useMakeCodes() {
  const onSettled = useChanged()
  return useMutation({ gcTime: 0, mutationFn: () => answer(api.POST('/v1/profile/recovery-codes')), onSettled })
}

/** Makes a passkey on this device. */
export function useAddPasskey() {
  const onSettled = useChanged()
  return useMutation({
    gcTime: 0,
    mutationFn: async () => {
      const { challenge_id, options } = await answer(api.POST('/v1/profile/passkeys/options'))
      return answer(api.POST('/v1/profile/passkeys', { body: { challenge_id, credential: await makePasskey(options) } }))
    },
    onSettled,
  })
}

export function useRemovePasskey() {
  const onSettled = useChanged()
  return useMutation({ mutationFn: (id: string) => answer(api.DELETE('/v1/profile/passkeys/{id}', { params: { path: { id } } })), onSettled })
}
