import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Connection = Schema<'SsoConnection'>
export type Change = Schema<'SsoChange'>
export type Rules = Connection['rules']
export type OIDC = NonNullable<Connection['oidc']>
export type Attempt = Schema<'SsoAttempt'>

/** The project as identity providers know it. */
export const overviewQuery = (ref: string) =>
  queryOptions({ queryKey: ['sso', ref, 'overview'], queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/sso', { params: { path: { ref } }, signal })) })

export const connectionsQuery = (ref: string) =>
  queryOptions({ queryKey: ['sso', ref, 'list'], queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/sso/connections', { params: { path: { ref } }, signal }))).items ?? [] })

export const connectionQuery = (ref: string, id: string) =>
  queryOptions({ queryKey: ['sso', ref, 'one', id], queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/sso/connections/{id}', { params: { path: { ref, id } }, signal })) })

export const keysQuery = (ref: string) =>
  queryOptions({ queryKey: ['sso', ref, 'keys'], queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/sso/keys', { params: { path: { ref } }, signal }))).items ?? [] })

const pageSize = 50

/** The attempts at a connection, the newest first. */
export const attemptsQuery = (ref: string, id: string) =>
  infiniteQueryOptions({
    queryKey: ['sso', ref, 'attempts', id],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: before, signal }) => (await answer(api.GET('/v1/projects/{ref}/sso/connections/{id}/attempts', { params: { path: { ref, id }, query: { limit: pageSize, ...(before ? { before } : {}) } }, signal }))).items ?? [],
    getNextPageParam: (last) => (last.length === pageSize ? last.at(-1)?.at : undefined),
  })

export const attemptQuery = (ref: string, id: string, attempt: string) =>
  queryOptions({
    queryKey: ['sso', ref, 'attempt', id, attempt],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/sso/connections/{id}/attempts/{attempt_id}', { params: { path: { ref, id, attempt_id: attempt } }, signal })),
  })

function useRefreshed<Variables, Data>(ref: string, mutationFn: (variables: Variables) => Promise<Data>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn, onSuccess: () => queries.invalidateQueries({ queryKey: ['sso', ref] }) })
}

/** Switches SAML on; the setting is part of the configuration of auth. */
export function useEnableSAML(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => answer(api.PATCH('/v1/projects/{ref}/config/auth', { params: { path: { ref } }, body: { saml_enabled: true } as Schema<'AuthConfigUpdateBody'> })),
    // Servers hear of the change within a moment.
    onSuccess: async () => {
      queries.setQueryData(overviewQuery(ref).queryKey, (old) => old && { ...old, saml_enabled: true })
      await queries.invalidateQueries({ queryKey: ['auth-config', ref] })
      setTimeout(() => void queries.invalidateQueries({ queryKey: ['sso', ref] }), 1500)
    },
  })
}

export const useCreateConnection = (ref: string) => useRefreshed(ref, (body: Schema<'SsoCreateBody'>) => answer(api.POST('/v1/projects/{ref}/sso/connections', { params: { path: { ref } }, body })))
export const useUpdateConnection = (ref: string, id: string) => useRefreshed(ref, (body: Change) => answer(api.PATCH('/v1/projects/{ref}/sso/connections/{id}', { params: { path: { ref, id } }, body })))
export const useRefreshMetadata = (ref: string, id: string) => useRefreshed(ref, () => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/refresh', { params: { path: { ref, id } } })))
export const useAddKey = (ref: string) => useRefreshed(ref, () => answer(api.POST('/v1/projects/{ref}/sso/keys', { params: { path: { ref } } })))
export const useRemoveKey = (ref: string) => useRefreshed(ref, (id: string) => answer(api.DELETE('/v1/projects/{ref}/sso/keys/{id}', { params: { path: { ref, id } } })))

/** Deletes a connection; its page is left before the lists are read again. */
export function useDeleteConnection(ref: string, id: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => answer(api.DELETE('/v1/projects/{ref}/sso/connections/{id}', { params: { path: { ref, id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: connectionsQuery(ref).queryKey }),
  })
}

/** Begins a dry run, and goes to the identity provider. */
export const useDryRun = (ref: string, id: string) =>
  useMutation({ mutationFn: () => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/test', { params: { path: { ref, id } } })), onSuccess: ({ url }) => window.location.assign(url) })
