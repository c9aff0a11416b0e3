import { infiniteQueryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type DatabaseTable = Schema<'DatabaseTable'>

export type TablesFilter = { search?: string; schema?: string }

/** The tables and views of a project with their policies and grants, page by page. */
export const tablesQuery = (ref: string, { search, schema }: TablesFilter = {}) =>
  infiniteQueryOptions({
    queryKey: ['database', ref, 'tables', search, schema],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/v1/projects/{ref}/database/tables', { params: { path: { ref }, query: { search: search || undefined, included_schemas: schema || undefined, after: pageParam, limit: 200 } }, signal })),
    getNextPageParam: (page) => page.next ?? undefined,
  })

/** A name as SQL has it. */
export const quoted = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

export const nameOf = (t: DatabaseTable) => `${t.schema}.${t.name}`
export const sqlName = (t: DatabaseTable) => `${quoted(t.schema)}.${quoted(t.name)}`

/** Tables with their columns, for completion: those of public without their schema too. */
export function completion(tables: DatabaseTable[]): Record<string, string[]> {
  const out: Record<string, string[]> = {
    'auth.users': ['id', 'email', 'phone', 'created_at', 'updated_at', 'last_sign_in_at', 'confirmed_at', 'raw_app_meta_data', 'raw_user_meta_data', 'banned_until', 'is_anonymous'],
    'auth.sessions': ['id', 'user_id', 'created_at', 'aal', 'ip', 'user_agent'],
    'auth.identities': ['id', 'user_id', 'provider', 'identity_data', 'email'],
  }
  for (const t of tables) {
    const columns = (t.columns ?? []).map((c) => c.name)
    out[nameOf(t)] = columns
    if (t.schema === 'public') out[t.name] = columns
  }
  return out
}

/** Whether whoever has the publishable key can use all rows. */
export const exposed = (t: DatabaseTable) => t.kind.includes('table') && t.schema === 'public' && !t.rls_enabled && ((t.grants.anon?.length ?? 0) > 0 || (t.grants.authenticated?.length ?? 0) > 0)
