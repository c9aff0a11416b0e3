import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { asApiError } from '@/lib/api/error'

/** What the installation has; null for people who do not run it. */
export const installationQuery = queryOptions({
  queryKey: ['installation'],
  queryFn: async ({ signal }) => {
    try {
      return await answer(api.GET('/v1/operator', { signal }))
    } catch (error) {
      if (asApiError(error).status === 404) return null
      throw error
    }
  },
  staleTime: 30_000,
})

/** How people sign in, as everybody is told. */
export const waysQuery = queryOptions({ queryKey: ['config'], queryFn: ({ signal }) => answer(api.GET('/dashboard/config', { signal })), staleTime: 10_000 })

export type ProjectFilter = { q?: string; status?: Status; trouble?: Trouble }
export type Status = 'creating' | 'active' | 'pausing' | 'paused' | 'restoring' | 'failed' | 'deleting'
export type Trouble = 'failing' | 'behind' | 'shut_out' | 'errors'

/** All projects, page by page. */
export const allProjectsQuery = (filter: ProjectFilter) =>
  infiniteQueryOptions({
    queryKey: ['all-projects', filter],
    queryFn: ({ pageParam, signal }) => answer(api.GET('/v1/operator/projects', { params: { query: { ...filter, after: pageParam, limit: 200 } }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  })

/** All organizations, page by page. */
export const allOrganizationsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ['all-organizations', q],
    queryFn: ({ pageParam, signal }) => answer(api.GET('/v1/operator/organizations', { params: { query: { q, after: pageParam, limit: 200 } }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  })

/** The scheduled work, and its failures. */
export const jobsQuery = queryOptions({ queryKey: ['jobs'], queryFn: ({ signal }) => answer(api.GET('/v1/operator/jobs', { signal })), refetchInterval: 15_000 })

/** Tries a run that failed again. */
export function useRetryJob() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => answer(api.POST('/v1/operator/jobs/{id}/retry', { params: { path: { id } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: jobsQuery.queryKey }),
  })
}
