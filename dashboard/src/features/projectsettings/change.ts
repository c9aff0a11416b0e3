import { useMutation, useQueryClient } from '@tanstack/react-query'
import { projectQuery } from '@/features/project/project'
import { answer, api } from '@/lib/api/client'

/** Everything that shows the project or lists it. */
function useRefresh(ref: string) {
  const queries = useQueryClient()
  return () => Promise.all([queries.invalidateQueries({ queryKey: projectQuery(ref).queryKey }), queries.invalidateQueries({ queryKey: ['projects'] })])
}

export const useRename = (ref: string) => useMutation({ mutationFn: (name: string) => answer(api.PATCH('/v1/projects/{ref}', { params: { path: { ref } }, body: { name } })), onSuccess: useRefresh(ref) })

export const usePause = (ref: string) => useMutation({ mutationFn: () => answer(api.POST('/v1/projects/{ref}/pause', { params: { path: { ref } } })), onSuccess: useRefresh(ref) })

export const useRestore = (ref: string) => useMutation({ mutationFn: () => answer(api.POST('/v1/projects/{ref}/restore', { params: { path: { ref } } })), onSuccess: useRefresh(ref) })

export const useSetPassword = (ref: string) => useMutation({ mutationFn: (password: string) => answer(api.PATCH('/v1/projects/{ref}/database/password', { params: { path: { ref } }, body: { password } })) })

/** Deletes the project; who calls it leads away from its pages. */
export function useDelete(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => answer(api.DELETE('/v1/projects/{ref}', { params: { path: { ref } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['projects'] }),
  })
}
