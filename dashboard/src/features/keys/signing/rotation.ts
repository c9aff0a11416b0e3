import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Rotation = Schema<'SigningkeyRotation'>
export type Step = Rotation['next_step']

const path = '/v1/projects/{ref}/config/auth/signing-keys/rotation' as const

/** Where the rotation of the signing keys is, what comes next and what it waits for. */
export const rotationQuery = (ref: string) =>
  queryOptions({
    queryKey: ['signingkeys', ref, 'rotation'],
    queryFn: ({ signal }) => answer(api.GET(path, { params: { path: { ref } }, signal })),
    refetchInterval: 60_000,
  })

/** Plans, holds or releases the rotation. */
export function usePlanRotation(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'SigningkeyRotationBody'>) => answer(api.PATCH(path, { params: { path: { ref } }, body })),
    onSuccess: (rotation) => queries.setQueryData(rotationQuery(ref).queryKey, rotation),
  })
}

/** Makes the next step now. */
export function useAdvanceRotation(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (step: Step) => answer(api.POST(`${path}/advance`, { params: { path: { ref } }, body: { step } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['signingkeys', ref] }),
  })
}
