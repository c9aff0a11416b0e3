import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Message = Schema<'InboxMessage'>

/** The captured messages of a project, the newest first; looked for every few seconds. */
export const inboxQuery = (ref: string) =>
  queryOptions({
    queryKey: ['inbox', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/inbox', { params: { path: { ref }, query: {} }, signal }))) ?? [],
    refetchInterval: 3000,
  })

/** The captured messages to people who sign in to the dashboard, for operators. */
export const platformInboxQuery = queryOptions({
  queryKey: ['inbox', 'platform'],
  queryFn: async ({ signal }) => (await answer(api.GET('/v1/operator/inbox', { params: { query: {} }, signal }))) ?? [],
  refetchInterval: 3000,
})

/** Deletes them all. */
export function useEmptyInbox(ref: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: () => answer(api.DELETE('/v1/projects/{ref}/inbox', { params: { path: { ref } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['inbox', ref] }),
  })
}
