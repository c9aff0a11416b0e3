import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

/** Creates a key. The answer holds the text of a secret one; it is not kept. */
export function useCreateKey(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'ApikeyCreateBody'>) => answer(api.POST('/v1/projects/{ref}/api-keys', { params: { path: { ref } }, body })),
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys', ref] }),
  })
}
