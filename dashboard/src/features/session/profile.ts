import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** The person's own record. */
export const profileQuery = queryOptions({ queryKey: ['profile'], queryFn: ({ signal }) => answer(api.GET('/v1/profile', { signal })), staleTime: 60_000 })
