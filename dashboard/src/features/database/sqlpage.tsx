import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Terminal } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { Editor } from '@/components/editor'
import { Card, Page } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { database } from '@/strings/database'
import { DatabaseTabs } from './databasetabs'
import { clearHistory, loadDraft, loadHistory, remember, saveDraft } from './draft'
import { HistorySheet } from './historysheet'
import { useRunQuery, type QueryResult, type Run } from './query'
import { faultIndex, QueryError } from './queryerror'
import { Results } from './results'
import { SqlToolbar, type SqlSearch } from './sqltoolbar'
import { completion, tablesQuery } from './tables'

const t = database.sql

type Outcome = { run: Run; result?: QueryResult; error?: unknown }

/** The SQL editor of a project, and what came of the last run. */
export function SqlPage({ projectRef, search, onSearch }: { projectRef: string; search: SqlSearch; onSearch: (next: SqlSearch) => void }) {
  const [sql, setSql] = useState(() => loadDraft(projectRef))
  const [history, setHistory] = useState(() => loadHistory(projectRef))
  const [keep, setKeep] = useState(false)
  const [selection, setSelection] = useState(false)
  const [looking, setLooking] = useState(false)
  const [outcome, setOutcome] = useState<Outcome>()
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const tables = useInfiniteQuery(tablesQuery(projectRef))
  const schema = useMemo(() => completion(tables.data?.pages.flatMap((page) => page.tables ?? []) ?? []), [tables.data])
  const query = useRunQuery(projectRef)
  const runNow = useRef<(() => void) | null>(null)
  const explain = useRef(false)
  const forced = permissions.data !== undefined && !may(permissions.data, 'database:write')

  const change = (next: string) => {
    setSql(next)
    saveDraft(projectRef, next)
  }
  /** Puts another text into the editor; the one before goes to the history. */
  const use = (next: string) => {
    if (sql !== next) setHistory(remember(projectRef, { at: new Date().toISOString(), sql, ms: null, state: 'draft', role: 'owner' }))
    change(next)
    setOutcome(undefined)
  }
  const given = search.sql
  useEffect(() => {
    if (given === undefined) return
    use(given)
    onSearch({ ...search, sql: undefined })
    // Once for each text that the address brings.
  }, [given])

  const run = (text: string, from: number) => {
    if (query.isPending || text.trim() === '') return
    const order: Run = { sql: text, from, role: search.as ?? 'owner', user: search.user, readOnly: forced || search.readonly === true, keep, limit: search.limit ?? 1000, ...(explain.current && { explain: 'plan' as const }) }
    explain.current = false
    if (order.role === 'authenticated' && !order.user) return
    const settle = (done: Outcome, ms: number | null) => {
      setOutcome(done)
      setHistory(remember(projectRef, { at: new Date().toISOString(), sql: text, ms, state: done.error ? 'failed' : 'done', role: order.role }))
    }
    query.mutate(order, { onSuccess: (result) => settle({ run: order, result }, result.duration_ms), onError: (error) => settle({ run: order, error }, null) })
  }
  const place = outcome?.error ? faultIndex(outcome.error, outcome.run.sql) : undefined
  // The mark goes when the text is no longer the one that failed.
  const fault = place !== undefined && outcome && sql.slice(outcome.run.from).startsWith(outcome.run.sql) ? outcome.run.from + place : undefined

  return (
    <Page title={t.title} wide>
      <DatabaseTabs projectRef={projectRef} />
      <div className="space-y-4">
        <Editor language="sql" label={t.editor} value={sql} onChange={change} onRun={run} run={runNow} onSelected={setSelection} schema={schema} faultAt={fault} minHeight="180px" maxHeight="40dvh" />
        <SqlToolbar
          projectRef={projectRef}
          search={search}
          onSearch={onSearch}
          forced={forced}
          keep={keep}
          onKeep={setKeep}
          selection={selection}
          busy={query.isPending}
          onRun={() => runNow.current?.()}
          onExplain={() => {
            explain.current = true
            runNow.current?.()
          }}
          onHistory={() => setLooking(true)}
        />
        {query.isPending ? (
          <div role="status" aria-label={t.running} className="space-y-2">
            <Skeleton className="h-5 w-48" />
            <Skeleton className="h-40 w-full" />
          </div>
        ) : outcome?.error ? (
          <QueryError error={outcome.error} run={outcome.run} whole={sql} />
        ) : outcome?.result ? (
          <Results key={history[0]?.at} result={outcome.result} run={outcome.run} />
        ) : (
          <Card>
            <EmptyState icon={Terminal} title={database.result.none}>
              <p>{t.saved}</p>
            </EmptyState>
          </Card>
        )}
      </div>
      {looking && (
        <HistorySheet
          runs={history}
          onClose={() => setLooking(false)}
          onUse={(text) => {
            use(text)
            setLooking(false)
          }}
          onClear={() => {
            clearHistory(projectRef)
            setHistory([])
          }}
        />
      )}
    </Page>
  )
}
