import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Created = Schema<'ProjectCreated'>

/** What a creation of this visit answered, with what is shown only once; it is in memory alone. */
export const createdQuery = (ref: string) => queryOptions({ queryKey: ['created', ref], queryFn: (): Created | null => null, staleTime: Infinity, gcTime: Infinity })

/** Creates a project, and remembers the answer for the page that follows. */
export function useCreateProject() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: Schema<'ProjectCreateBody'>) => answer(api.POST('/v1/projects', { params: { query: { reveal: true } }, body })),
    gcTime: 0,
    onSuccess: (created) => {
      queries.setQueryData(createdQuery(created.ref).queryKey, created)
      return queries.invalidateQueries({ queryKey: ['projects'] })
    },
  })
}
