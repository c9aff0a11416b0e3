import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { asApiError } from '@/lib/api/error'
import { configQuery, tagOf, versionOf, type Values } from './config'

/** Makes the values of an earlier version a new one, if inForce is still the newest. */
export function useRollback(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (to: { version: number; reason: string; inForce: number }) => {
      const sent = await api.POST('/v1/projects/{ref}/config/auth/history/{version}/rollback', {
        params: { path: { ref, version: to.version }, query: to.reason ? { reason: to.reason } : {}, header: { 'If-Match': tagOf(to.inForce) } },
      })
      const values = await answer(Promise.resolve(sent))
      return { values: values as Values, version: versionOf(sent.response) }
    },
    onSuccess: (now) => {
      queries.setQueryData(configQuery(ref).queryKey, now)
      return queries.invalidateQueries({ queryKey: ['auth-config-history', ref] })
    },
    onError: (error) => asApiError(error).status === 409 && queries.invalidateQueries({ queryKey: configQuery(ref).queryKey }),
  })
}
