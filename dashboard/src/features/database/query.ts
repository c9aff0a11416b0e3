import { useMutation } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Role = NonNullable<Schema<'DatabaseRunAs'>['role']>
export type QueryResult = Schema<'DatabaseQueryResult'>
export type Run = { sql: string; /** Where it begins in the editor. */ from: number; role: Role; user?: string; readOnly: boolean; keep: boolean; limit: number; explain?: 'plan' }

/** Runs SQL, as the owner or as a caller of the API. */
export function useRunQuery(ref: string) {
  return useMutation({
    mutationFn: ({ sql, role, user, readOnly, keep, limit, explain }: Run) =>
      answer(
        api.POST('/v1/projects/{ref}/database/query/detailed', {
          params: { path: { ref } },
          body: {
            query: sql,
            limit,
            ...(readOnly && { read_only: true }),
            ...(explain && { explain }),
            ...(role !== 'owner' && { run_as: { role, ...(role === 'authenticated' && user && { user_id: user }) }, ...(keep && !readOnly && { commit: true }) }),
          },
        }),
      ),
    gcTime: 0,
  })
}

/** The index in a text of what Postgres calls a position: the n-th character, from 1. */
export function indexOf(text: string, position: number): number {
  let index = 0
  for (const character of text) {
    if (--position < 1) break
    index += character.length
  }
  return Math.min(index, text.length)
}

/** Line and column of an index, from 1. */
export function lineOf(text: string, index: number) {
  const before = text.slice(0, index).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
