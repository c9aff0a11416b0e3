import { useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { orgsQuery } from './orgs'

/** Creates an organization; the person becomes its owner. */
export function useCreateOrg() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => answer(api.POST('/v1/organizations', { body: { name } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: orgsQuery.queryKey }),
  })
}
