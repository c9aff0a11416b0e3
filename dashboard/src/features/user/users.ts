import { infiniteQueryOptions, type InfiniteData, type QueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import { filterOf, type UsersSearch } from './search'

export type Summary = Schema<'UserSummary'>
type Pages = InfiniteData<Schema<'UserPage'>, string>

const small = (query: { state: { data?: unknown } }) => ((query.state.data as Pages | undefined)?.pages.length ?? 0) <= 2

/**
 * A list of users. The first page is small, so that it comes soon. A list of many
 * pages is not read again by itself: what is changed here is changed in it.
 */
export const usersQuery = (ref: string, search: UsersSearch) =>
  infiniteQueryOptions({
    queryKey: ['users', ref, search],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/v1/projects/{ref}/auth/users', {
          params: { path: { ref }, query: { ...filterOf(search), sort: search.sort, order: search.order, limit: pageParam ? 200 : 50, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 30_000,
    refetchOnMount: small,
    refetchOnWindowFocus: small,
    refetchOnReconnect: small,
  })

/** Changes users in the lists that are loaded; undefined takes one out. */
export function changeInLists(queries: QueryClient, ref: string, change: (user: Summary) => Summary | undefined) {
  queries.setQueriesData<Pages>({ queryKey: ['users', ref] }, (data) => {
    if (!data) return data
    let gone = 0
    const pages = data.pages.map((page) => {
      const users = (page.users ?? []).map(change).filter((user) => user !== undefined)
      gone += (page.users?.length ?? 0) - users.length
      return { ...page, users }
    })
    return { ...data, pages: pages.map((page) => ({ ...page, total: Math.max(0, page.total - gone) })) }
  })
}

/** Begins the lists anew, after something was added. */
export const renewLists = (queries: QueryClient, ref: string) => queries.resetQueries({ queryKey: ['users', ref] })
