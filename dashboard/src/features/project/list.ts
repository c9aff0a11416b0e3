import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Listed = Schema<'ProjectCard'>

const limit = 24

/** The projects of an organization with what a card shows, page by page. */
export const projectListQuery = (slug: string, search: string) =>
  infiniteQueryOptions({
    queryKey: ['projects', slug, 'list', search],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/v1/organizations/{slug}/projects/cards', { params: { path: { slug }, query: { limit, ...(pageParam && { cursor: pageParam }), ...(search && { search }) } }, signal })),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.projects?.some((p) => /COMING|RESTORING|PAUSING|GOING/.test(p.status))) ? 2000 : false),
  })

/** How many users a project has: for one that the hourly count of those in use has not reached. */
export const userCountQuery = (ref: string) =>
  queryOptions({
    queryKey: ['user-count', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/auth/users', { params: { path: { ref }, query: { limit: 1 } }, signal }))).total,
    staleTime: 60_000,
  })
