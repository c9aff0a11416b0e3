import { useMutation, useQueryClient } from '@tanstack/react-query'
import { projectQuery } from '@/features/project/project'
import { answer, api } from '@/lib/api/client'

/** Serves a paused project again. */
export function useRestore(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => answer(api.POST('/v1/projects/{ref}/restore', { params: { path: { ref } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: projectQuery(ref).queryKey }),
  })
}
