import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import { asApiError } from '@/lib/api/error'

export type Lint = Schema<'AdvisorLint'>

const rank = { ERROR: 0, WARN: 1, INFO: 2 }

/** What the advisors find, the worst first. */
export const advisorsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['advisors', ref],
    queryFn: async ({ signal }) => {
      const params = { path: { ref } }
      // One after the other: a database is inspected once at a time.
      const security = await answer(api.GET('/v1/projects/{ref}/advisors/security', { params, signal }))
      const performance = await answer(api.GET('/v1/projects/{ref}/advisors/performance', { params, signal }))
      return [...(security.lints ?? []), ...(performance.lints ?? [])].sort((a, b) => rank[a.level] - rank[b.level])
    },
    staleTime: 60_000,
    retry: (failed, error) => failed < 5 && (asApiError(error).temporary || asApiError(error).code === 'inspection_running'),
    retryDelay: (failed) => 500 * 2 ** failed,
  })
