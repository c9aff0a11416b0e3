import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Push = Schema<'AuthSCIMLogEntry'>

/** The SCIM tokens of a connection, and the address that a directory is given. */
export const scimTokensQuery = (ref: string, id: string) =>
  queryOptions({ queryKey: ['scim', ref, id, 'tokens'], queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/sso/connections/{id}/scim/tokens', { params: { path: { ref, id } }, signal })) })

const pageSize = 50

/** The requests of a directory, the newest first; those that were refused alone, or all. */
export const pushesQuery = (ref: string, id: string, failed: boolean) =>
  infiniteQueryOptions({
    queryKey: ['scim', ref, id, 'log', failed],
    initialPageParam: 0,
    queryFn: async ({ pageParam: before, signal }) => (await answer(api.GET('/v1/projects/{ref}/sso/connections/{id}/scim/log', { params: { path: { ref, id }, query: { limit: pageSize, failed, ...(before ? { before } : {}) } }, signal }))).items ?? [],
    getNextPageParam: (last) => (last.length === pageSize ? last.at(-1)?.id : undefined),
  })

function useRefreshed<Variables, Data>(ref: string, id: string, mutationFn: (variables: Variables) => Promise<Data>) {
  const queries = useQueryClient()
  return useMutation({ gcTime: 0, mutationFn, onSuccess: () => queries.invalidateQueries({ queryKey: ['scim', ref, id] }) })
}

export const useMakeToken = (ref: string, id: string) => useRefreshed(ref, id, () => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/scim/tokens', { params: { path: { ref, id } }, body: {} })))
export const useRevokeToken = (ref: string, id: string) => useRefreshed(ref, id, (token: string) => answer(api.DELETE('/v1/projects/{ref}/sso/connections/{id}/scim/tokens/{token_id}', { params: { path: { ref, id, token_id: token } } })))
export const useReplay = (ref: string, id: string) => useRefreshed(ref, id, (entry: number) => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/scim/log/{entry}/replay', { params: { path: { ref, id, entry: String(entry) } } })))
