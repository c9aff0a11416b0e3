import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type SetupState = Schema<'AuthSetupState'>

const keep = (ref: string) => `reeve-setup-${ref}`

/** The token of the link that was opened. It leaves the address bar, and stays in this tab: it must survive the way to the identity provider and back. */
export function takeToken(ref: string): string {
  const given = location.hash.slice(1)
  if (given) {
    sessionStorage.setItem(keep(ref), given)
    history.replaceState(history.state, '', location.pathname + location.search)
  }
  return sessionStorage.getItem(keep(ref)) ?? ''
}

export type Link = { ref: string; token: string }

const request = ({ ref, token }: Link) => ({ params: { path: { ref } }, headers: { Authorization: `Bearer ${token}` } })

export const setupQuery = (link: Link) =>
  queryOptions({
    queryKey: ['setup-link', link.ref, link.token],
    queryFn: () => answer(api.GET('/v1/sso-setup/{ref}', request(link))),
    enabled: link.token !== '',
    retry: false,
  })

/** A change whose answer is the new state. */
function useChange<Input>(link: Link, send: (input: Input) => Promise<SetupState>) {
  const queries = useQueryClient()
  return useMutation({ mutationFn: send, onSuccess: (state) => queries.setQueryData(setupQuery(link).queryKey, state) })
}

export const useSave = (link: Link) => useChange(link, (body: Schema<'AuthSetupChange'>) => answer(api.PATCH('/v1/sso-setup/{ref}', { ...request(link), body })))

export const useClaim = (link: Link) => useChange(link, (domain: string) => answer(api.POST('/v1/sso-setup/{ref}/domains', { ...request(link), body: { domain } })))

export const useCheck = (link: Link) => useChange(link, (domain: string) => answer(api.POST('/v1/sso-setup/{ref}/domains/check', { ...request(link), body: { domain } })))

export const useMail = (link: Link) =>
  useChange(link, (body: { domain: string; mailbox: string }) => answer(api.POST('/v1/sso-setup/{ref}/domains/mail', { ...request(link), body })))

export const useDrop = (link: Link) => useChange(link, (domain: string) => answer(api.POST('/v1/sso-setup/{ref}/domains/drop', { ...request(link), body: { domain } })))

export const useFinish = (link: Link) => useChange(link, (intent: string) => answer(api.POST('/v1/sso-setup/{ref}/finish', { ...request(link), body: { intent } })))

/** Begins a dry run: the browser goes to the identity provider. */
export const useTry = (link: Link) =>
  useMutation({
    mutationFn: () => answer(api.POST('/v1/sso-setup/{ref}/dry-run', request(link))),
    onSuccess: ({ url }) => location.assign(url),
  })

export function useToken(link: Link) {
  const queries = useQueryClient()
  return useMutation({
    gcTime: 0,
    mutationFn: () => answer(api.POST('/v1/sso-setup/{ref}/scim-token', request(link))),
    onSuccess: () =>
      queries.setQueryData(setupQuery(link).queryKey, (state) => state && { ...state, done: [...(state.done ?? []), 'scim'] }),
  })
}
