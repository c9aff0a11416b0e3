// What is typed and run in the SQL editor, kept in this browser by project.
import { kept } from '@/lib/kept'

export type Ran = { at: string; sql: string; /** Milliseconds; null for what failed or was never run. */ ms: number | null; state: 'done' | 'failed' | 'draft'; role: string }

const most = 100
const longest = 100_000

function read<Value>(key: string, check: (value: unknown) => value is Value, none: Value): Value {
  try {
    const value: unknown = JSON.parse(kept.get(key) ?? 'null')
    return check(value) ? value : none
  } catch {
    return none
  }
}

function write(key: string, value: unknown) {
  try {
    kept.set(key, JSON.stringify(value))
  } catch {
    // The browser's room is full: older runs make place.
    kept.remove(historyKey(key.split(':').at(-1) ?? ''))
  }
}

const draftKey = (ref: string) => `sql-draft:${ref}`
const historyKey = (ref: string) => `sql-history:${ref}`
const isText = (value: unknown): value is string => typeof value === 'string'
const isHistory = (value: unknown): value is Ran[] => Array.isArray(value) && value.every((r: unknown) => typeof r === 'object' && r !== null && 'sql' in r && typeof r.sql === 'string')

export const loadDraft = (ref: string) => read(draftKey(ref), isText, '')
export const saveDraft = (ref: string, sql: string) => write(draftKey(ref), sql)
export const loadHistory = (ref: string) => read(historyKey(ref), isHistory, [])
export const clearHistory = (ref: string) => kept.remove(historyKey(ref))

/** Adds a run before the others; the same text again only moves to the front. */
export function remember(ref: string, ran: Ran): Ran[] {
  if (ran.sql.trim() === '' || ran.sql.length > longest) return loadHistory(ref)
  const next = [ran, ...loadHistory(ref).filter((r) => r.sql !== ran.sql || r.role !== ran.role)].slice(0, most)
  write(historyKey(ref), next)
  return next
}
