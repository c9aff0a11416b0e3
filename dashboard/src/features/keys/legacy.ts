import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** Whether legacy JWT keys are accepted. */
export const legacyQuery = (ref: string) =>
  queryOptions({ queryKey: ['keys', ref, 'legacy'], queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/api-keys/legacy', { params: { path: { ref } }, signal })) })

/** Switches legacy JWT keys on or off. */
export function useSetLegacy(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (enabled: boolean) => answer(api.PUT('/v1/projects/{ref}/api-keys/legacy', { params: { path: { ref }, query: { enabled } } })),
    onSuccess: () => Promise.all([queries.invalidateQueries({ queryKey: ['keys', ref] }), queries.invalidateQueries({ queryKey: ['signingkeys', ref] })]),
  })
}
