import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Bill = Schema<'BillingBill'>

/** What an organization used in a billing period; the current one without period. */
export const billQuery = (slug: string, period?: string) =>
  queryOptions({
    queryKey: ['bill', slug, period ?? 'current'],
    queryFn: ({ signal }) => answer(api.GET('/v1/organizations/{slug}/billing/usage', { params: { path: { slug }, query: { period } }, signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })

/** Who was counted in a period, by pseudonyms. */
export const countedUsersQuery = (ref: string, period: string) =>
  infiniteQueryOptions({
    queryKey: ['counted-users', ref, period],
    queryFn: ({ pageParam, signal }) => answer(api.GET('/v1/projects/{ref}/billing/users', { params: { path: { ref }, query: { period, cursor: pageParam || undefined } }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  })

/** Where a project's ledger and the bill differ. */
export const recountQuery = (ref: string) =>
  queryOptions({
    queryKey: ['recount', ref],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/billing/recount', { params: { path: { ref } }, signal })),
    staleTime: 0,
  })
