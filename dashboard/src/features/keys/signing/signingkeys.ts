import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type SigningKey = Schema<'SigningkeyKey'>
export type KeyStatus = SigningKey['status']

/** The signing keys of a project, the oldest first. */
export const signingKeysQuery = (ref: string) =>
  queryOptions({
    queryKey: ['signingkeys', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/config/auth/signing-keys', { params: { path: { ref } }, signal }))).keys ?? [],
  })

/** How many seconds an access token of the project lives. */
export const tokenLifeQuery = (ref: string) =>
  queryOptions({
    queryKey: ['signingkeys', ref, 'life'],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/config/auth', { params: { path: { ref } }, signal }))).jwt_exp,
  })

/** Makes or imports a key. */
export function useCreateSigningKey(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'SigningkeyCreateBody'>) => answer(api.POST('/v1/projects/{ref}/config/auth/signing-keys', { params: { path: { ref } }, body })),
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['signingkeys', ref] }),
  })
}

/** Moves a key to another status, or deletes it. */
export function useMoveSigningKey(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: ({ id, to }: { id: string; to: KeyStatus | 'delete' }) =>
      to === 'delete'
        ? answer(api.DELETE('/v1/projects/{ref}/config/auth/signing-keys/{id}', { params: { path: { ref, id } } }))
        : answer(api.PATCH('/v1/projects/{ref}/config/auth/signing-keys/{id}', { params: { path: { ref, id } }, body: { status: to } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['signingkeys', ref] }),
  })
}
