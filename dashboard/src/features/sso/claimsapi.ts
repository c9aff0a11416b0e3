import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Claim = Schema<'AuthSSOClaim'>

/** The domains of a connection with their proofs. */
export const claimsQuery = (ref: string, id: string) =>
  queryOptions({ queryKey: ['sso', ref, 'claims', id], queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/sso/connections/{id}/domains', { params: { path: { ref, id } }, signal })) })

function useRefreshed<Variables, Data>(ref: string, mutationFn: (variables: Variables) => Promise<Data>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn, onSettled: () => queries.invalidateQueries({ queryKey: ['sso', ref] }) })
}

export const useClaim = (ref: string, id: string) => useRefreshed(ref, (domain: string) => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/domains', { params: { path: { ref, id } }, body: { domain } })))
export const useCheck = (ref: string, id: string) => useRefreshed(ref, (domain: string) => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/domains/{domain}/check', { params: { path: { ref, id, domain } } })))
export const useDrop = (ref: string, id: string) => useRefreshed(ref, (domain: string) => answer(api.DELETE('/v1/projects/{ref}/sso/connections/{id}/domains/{domain}', { params: { path: { ref, id, domain } } })))

export const mailboxes = ['admin', 'administrator', 'hostmaster', 'postmaster', 'security', 'webmaster'] as const
export type Mailbox = (typeof mailboxes)[number]

export const useMail = (ref: string, id: string) =>
  useRefreshed(ref, ({ domain, mailbox }: { domain: string; mailbox: Mailbox }) => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/domains/{domain}/mail', { params: { path: { ref, id, domain } }, body: { mailbox } })))

export const useConsent = (ref: string, id: string) =>
  useRefreshed(ref, (claim: Claim) => answer(api.POST('/v1/projects/{ref}/sso/connections/{id}/domains/{domain}/consent', { params: { path: { ref, id, domain: claim.domain } }, body: { connection_id: claim.provider_id } })))
