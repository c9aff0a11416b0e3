import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { asApiError } from '@/lib/api/error'
import { configQuery, patchOf, tagOf, versionOf, type Values } from './config'

/** Saves changes of a version; a refusal for its age reads what is there now. */
export function useSave(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (change: { version: number; patch: Values; reason: string }) => {
      const sent = await api.PATCH('/v1/projects/{ref}/config/auth', {
        params: { path: { ref }, query: change.reason ? { reason: change.reason } : {}, header: { 'If-Match': tagOf(change.version) } },
        body: patchOf(change.patch),
      })
      const values = await answer(Promise.resolve(sent))
      return { values: values as Values, version: versionOf(sent.response) }
    },
    onSuccess: (saved) => {
      queries.setQueryData(configQuery(ref).queryKey, saved)
      return queries.invalidateQueries({ queryKey: ['auth-config-history', ref] })
    },
    onError: (error) => asApiError(error).status === 409 && queries.invalidateQueries({ queryKey: configQuery(ref).queryKey }),
  })
}
