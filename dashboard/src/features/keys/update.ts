import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

/** Changes a key's name, description or restrictions. */
export function useUpdateKey(ref: string, id: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'ApikeyUpdateBody'>) => answer(api.PATCH('/v1/projects/{ref}/api-keys/{id}', { params: { path: { ref, id } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys', ref] }),
  })
}
