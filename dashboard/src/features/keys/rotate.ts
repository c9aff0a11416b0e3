import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

/** Replaces a key by a new one, whose text the answer holds; it is not kept. */
export function useRotateKey(ref: string, id: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'ApikeyRotateBody'>) => answer(api.POST('/v1/projects/{ref}/api-keys/{id}/rotate', { params: { path: { ref, id } }, body })),
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys', ref] }),
  })
}
