import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import { asApiError } from '@/lib/api/error'

export type Lint = Schema<'AdvisorLint'>
export type Kind = 'security' | 'performance'

const order = { ERROR: 0, WARN: 1, INFO: 2 }

/** What an advisor finds, the gravest first. Another check that runs is waited for. */
export const lintsQuery = (ref: string, kind: Kind) =>
  queryOptions({
    queryKey: ['database', ref, 'advisors', kind],
    queryFn: async ({ signal }) => {
      const params = { path: { ref } }
      const { lints } = await answer(kind === 'security' ? api.GET('/v1/projects/{ref}/advisors/security', { params, signal }) : api.GET('/v1/projects/{ref}/advisors/performance', { params, signal }))
      return [...(lints ?? [])].sort((a, b) => order[a.level] - order[b.level])
    },
    retry: (failed, error) => failed < 5 && (asApiError(error).code === 'inspection_running' || asApiError(error).temporary),
    staleTime: 0,
  })

/** Runs the fix of a finding, then all checks again; tells whether the finding is gone. */
export function useApplyFix(ref: string, kind: Kind) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async ({ lint, fix }: { lint: Lint; fix: string }) => {
      await answer(api.POST('/v1/projects/{ref}/database/query', { params: { path: { ref } }, body: { query: fix } }))
      await queries.invalidateQueries({ queryKey: ['database', ref, 'tables'] })
      const lints = await queries.fetchQuery(lintsQuery(ref, kind))
      return !lints.some((l) => l.cache_key === lint.cache_key)
    },
  })
}
