import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** Deletes a key. */
export function useDeleteKey(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/v1/projects/{ref}/api-keys/{id}', { params: { path: { ref, id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys', ref] }),
  })
}
