import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import type { Trusted } from './presets'

export type Issuer = Schema<'ThirdpartyIssuer'>

/** The issuers whose access tokens a project trusts. */
export const issuersQuery = (ref: string) =>
  queryOptions({
    queryKey: ['third-party-auth', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/config/auth/third-party-auth', { params: { path: { ref } }, signal }))) ?? [],
  })

function useRefreshed<Variables, Data>(ref: string, mutationFn: (variables: Variables) => Promise<Data>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn, onSuccess: () => queries.invalidateQueries({ queryKey: issuersQuery(ref).queryKey }) })
}

export const useTrust = (ref: string) =>
  useRefreshed(ref, (body: Trusted) => answer(api.POST('/v1/projects/{ref}/config/auth/third-party-auth', { params: { path: { ref } }, body })))

export const useDistrust = (ref: string) =>
  useRefreshed(ref, (id: string) => answer(api.DELETE('/v1/projects/{ref}/config/auth/third-party-auth/{id}', { params: { path: { ref, id } } })))
