import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Lint = Schema<'AdvisorLint'>

const rank = { ERROR: 0, WARN: 1, INFO: 2 }

/** What the advisors find, the worst first. */
export const advisorsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['advisors', ref],
    queryFn: async ({ signal }) => {
      const params = { path: { ref } }
      const [security, performance] = await Promise.all([
        answer(api.GET('/v1/projects/{ref}/advisors/security', { params, signal })),
        answer(api.GET('/v1/projects/{ref}/advisors/performance', { params, signal })),
      ])
      return [...(security.lints ?? []), ...(performance.lints ?? [])].sort((a, b) => rank[a.level] - rank[b.level])
    },
    staleTime: 60_000,
  })
