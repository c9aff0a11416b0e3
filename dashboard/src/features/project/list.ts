import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Listed = Schema<'ProjectPageItem'>

const limit = 24

/** The projects of an organization, page by page. */
export const projectListQuery = (slug: string, search: string) =>
  infiniteQueryOptions({
    queryKey: ['projects', slug, 'list', search],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/v1/organizations/{slug}/projects', { params: { path: { slug }, query: { offset: pageParam, limit, ...(search && { search }) } }, signal })),
    initialPageParam: 0,
    getNextPageParam: ({ pagination: p }) => (p.offset + limit < p.count ? p.offset + limit : undefined),
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.projects?.some((p) => /COMING|RESTORING|PAUSING|GOING/.test(p.status))) ? 2000 : false),
  })

/** Sign-ins of the last 7 days, by day. */
export const signInsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['usage', ref, 'week'],
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - 6 * 86_400_000)
      from.setUTCHours(0, 0, 0, 0)
      const usage = await answer(api.GET('/v1/projects/{ref}/usage', { params: { path: { ref }, query: { from: from.toISOString(), interval: 'day' } }, signal }))
      return (usage.points ?? []).map((point) => point.sign_ins)
    },
    staleTime: 60_000,
  })

/** How many users a project has. */
export const userCountQuery = (ref: string) =>
  queryOptions({
    queryKey: ['user-count', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/auth/users', { params: { path: { ref }, query: { limit: 1 } }, signal }))).total,
    staleTime: 60_000,
  })
