import { useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

export type Accepted = { role: string; claims: unknown }

/** Runs a statement with the role and the claims of an access token, and says what they are. */
export function useCheckToken(ref: string) {
  return useMutation({
    gcTime: 0,
    mutationFn: async (token: string): Promise<Accepted> => {
      const rows = await answer(
        api.POST('/v1/projects/{ref}/database/query', {
          params: { path: { ref } },
          body: { query: 'select current_user as role, auth.jwt() as claims', read_only: true, run_as: { token } },
        }),
      )
      const row: unknown = rows?.[0]
      const fields = typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : {}
      return { role: String(fields.role ?? ''), claims: fields.claims }
    },
  })
}
