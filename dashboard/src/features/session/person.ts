import { queryOptions } from '@tanstack/react-query'
import { person } from '@/lib/session'

/** Who is signed in; null for nobody. */
export const personQuery = queryOptions({ queryKey: ['person'], queryFn: async () => (await person()) ?? null, staleTime: 60_000 })
