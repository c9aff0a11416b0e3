import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Change } from '@/components/diff'
import { answer, api, type Schema } from '@/lib/api/client'

export type AuditEntry = Schema<'AuditlogEntry'>
export type Result = AuditEntry['result']
export type AuditRange = '1d' | '7d' | '30d' | '90d'

/** What the address of the audit log holds. */
export type AuditSearch = { q?: string; actor?: string; action?: string; project?: string; result?: Result; range?: AuditRange; entry?: number }

async function page(slug: string, s: AuditSearch, before: number | undefined, limit: number, signal?: AbortSignal) {
  const from = s.range && new Date(Date.now() - Number.parseInt(s.range) * 86_400_000).toISOString()
  const query = { text: s.q || undefined, actor: s.actor || undefined, action: s.action || undefined, ref: s.project || undefined, result: s.result, from, before, limit }
  return answer(api.GET('/v1/organizations/{slug}/audit-logs', { params: { path: { slug }, query }, signal }))
}

/** What was done in an organization, the newest first, page by page. */
export const auditQuery = (slug: string, s: AuditSearch) =>
  infiniteQueryOptions({
    queryKey: ['audit', slug, s.q, s.actor, s.action, s.project, s.result, s.range],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam, signal }) => page(slug, s, pageParam, 100, signal),
    getNextPageParam: (last) => last.next ?? undefined,
  })

/** One entry by its number, whatever the filters are; null if the organization has none with it. */
export const auditEntryQuery = (slug: string, seq: number) =>
  queryOptions({
    queryKey: ['audit', slug, 'entry', seq],
    queryFn: async ({ signal }) => (await page(slug, {}, seq + 1, 1, signal)).entries?.find((entry) => entry.seq === seq) ?? null,
    staleTime: 60_000,
  })

/** Whether the log is what was written; asked for by hand, as it reads all of it. */
export const verifyQuery = (slug: string) =>
  queryOptions({ queryKey: ['audit', slug, 'verify'], enabled: false, gcTime: 0, queryFn: ({ signal }) => answer(api.GET('/v1/organizations/{slug}/audit-logs/verify', { params: { path: { slug } }, signal })) })

/** How many entries an export holds at most. */
export const exportBound = 50_000

/** All entries that match, the newest first, up to the bound. */
export async function readAll(slug: string, s: AuditSearch, progress: (n: number) => void): Promise<AuditEntry[]> {
  const all: AuditEntry[] = []
  let before: number | undefined
  do {
    const got = await page(slug, s, before, 1000)
    all.push(...(got.entries ?? []))
    before = got.next ?? undefined
    progress(all.length)
  } while (before !== undefined && all.length < exportBound)
  return all.slice(0, exportBound)
}

type Fields = Record<string, unknown>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {})

/** What an entry tells of before and after: changed fields, and what else was asked. */
export function changesOf(entry: AuditEntry): { changes: Change[]; asked: Fields; outcome: Fields } {
  const detail = fields(entry.detail)
  const before = fields(detail.before)
  const request = fields(detail.request)
  const changes = Object.keys(before).map((name) => ({ name, before: before[name], after: name in request ? request[name] : null }))
  const asked = Object.fromEntries(Object.entries(request).filter(([name]) => !(name in before)))
  return { changes, asked, outcome: fields(detail.outcome) }
}
