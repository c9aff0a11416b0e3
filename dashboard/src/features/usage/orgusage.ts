import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** How much the projects of an organization are used together, by day. */
export const orgUsageQuery = (slug: string, days: number) =>
  queryOptions({
    queryKey: ['org-usage', slug, days],
    queryFn: ({ signal }) => {
      const to = new Date()
      const from = new Date(to.getTime() - (2 * days - 1) * 86_400_000)
      const query = { from: from.toISOString(), to: to.toISOString(), interval: 'day' as const }
      return answer(api.GET('/v1/organizations/{slug}/usage', { params: { path: { slug }, query }, signal }))
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
