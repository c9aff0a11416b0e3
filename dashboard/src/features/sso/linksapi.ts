import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type SetupLink = Schema<'AuthSetupLink'>
export type LinkRequest = Schema<'AuthSetupLinkRequest'>

/** The setup links of a project, the newest first. */
export const linksQuery = (ref: string) =>
  queryOptions({ queryKey: ['sso', ref, 'links'], queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/sso/setup-links', { params: { path: { ref } }, signal }))).links ?? [] })

/** Makes a link; the answer, which alone has its address, is not kept. */
export function useMakeLink(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    gcTime: 0,
    mutationFn: (body: LinkRequest) => answer(api.POST('/v1/projects/{ref}/sso/setup-links', { params: { path: { ref } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: linksQuery(ref).queryKey }),
  })
}

export function useRevokeLink(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.DELETE('/v1/projects/{ref}/sso/setup-links/{id}', { params: { path: { ref, id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: linksQuery(ref).queryKey }),
  })
}
