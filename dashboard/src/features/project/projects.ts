import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The projects of an organization. */
export const projectsQuery = (slug: string) =>
  queryOptions({
    queryKey: ['projects', slug],
    queryFn: ({ signal }) => answer(api.GET('/v1/organizations/{slug}/projects', { params: { path: { slug } }, signal })),
  })
