import { ErrorNote } from '@/components/error'
import { asApiError } from '@/lib/api/error'
import { database } from '@/strings/database'
import { indexOf, lineOf, type Run } from './query'

const t = database.result

/** Where an error of SQL is in what was run; undefined where Postgres does not say. */
export function faultIndex(error: unknown, sql: string): number | undefined {
  const position = asApiError(error).details.position
  return typeof position === 'number' ? indexOf(sql, position) : undefined
}

/** Why a query failed, and where. */
export function QueryError({ error, run, whole }: { error: unknown; run: Run; /** The text of the editor. */ whole: string }) {
  const e = asApiError(error)
  if (e.code !== 'query_failed') return <ErrorNote error={error} />
  const at = faultIndex(error, run.sql)
  const place = at === undefined ? undefined : lineOf(whole.slice(0, run.from) + run.sql, run.from + at)
  const state = e.details.sqlstate
  return (
    <div role="alert" className="space-y-2 rounded border border-danger/40 bg-danger-soft px-3 py-2">
      <p className="font-medium text-danger">
        {t.error}
        {place && ` · ${t.at(String(place.line), String(place.column))}`}
      </p>
      <pre className="overflow-x-auto font-mono text-sm whitespace-pre-wrap break-words">{e.message.replace(/^Failed to run sql query: /, '').trim()}</pre>
      {state === '42601' && /multiple commands/.test(e.message) && <p>{t.one_statement}</p>}
      <p className="text-xs text-text-2">{typeof state === 'string' && `${t.state} ${state}`}</p>
    </div>
  )
}
