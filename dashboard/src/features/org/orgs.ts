import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The organizations of the person. */
export const orgsQuery = queryOptions({ queryKey: ['orgs'], queryFn: ({ signal }) => answer(api.GET('/v1/organizations', { signal })), staleTime: 60_000 })
