import { Braces, ClipboardCopy, Download, Ellipsis, FileSpreadsheet, Maximize2, Rows3 } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Dialog } from '@/components/dialog'
import { Menu } from '@/components/menu'
import { Card } from '@/components/page'
import { Badge, EmptyState, Notice } from '@/components/state'
import { toast } from '@/components/toast'
import { download } from '@/lib/download'
import { formatNumber } from '@/lib/format'
import { database } from '@/strings/database'
import { ResultGrid } from './grid'
import type { QueryResult, Run } from './query'
import { csv, objectOf, wholeText } from './values'

const t = database.result
const duration = (ms: number) => (ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`)

/** What came of a query: what happened in one line, notices, rows. */
export function Results({ result, run }: { result: QueryResult; run: Run }) {
  const [cell, setCell] = useState({ row: 0, column: 0 })
  const [open, setOpen] = useState(false)
  const columns = result.columns ?? []
  const names = columns.map((c) => c.name)
  const rows = (result.rows ?? []).map((row) => row ?? [])
  const notices = result.notices ?? []
  const copy = (text: string) => void navigator.clipboard.writeText(text).then(() => toast(t.copied))
  const value = rows[cell.row]?.[cell.column]
  const asObjects = () => rows.map((row) => objectOf(names, row))
  const ms = duration(result.duration_ms)
  return (
    <section aria-label={t.title} className="space-y-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <p role="status" className="tabular flex-1 text-text-2">
          <span className="font-medium text-text">
            {columns.length === 0 ? `${(result.commands ?? []).join(', ') || t.commands} · ${ms}` : result.row_count === 1 ? t.one(ms) : t.rows(formatNumber(rows.length), formatNumber(result.row_count), ms)}
          </span>
          {run.role !== 'owner' && ` ${t.asRole(run.role)}`}
        </p>
        {run.role !== 'owner' && (result.committed ? <Badge tone="warn">{t.kept}</Badge> : <Badge>{t.rolledBack}</Badge>)}
        {rows.length > 0 && (
          <Menu
            trigger={
              <Button size="small" icon={Ellipsis}>
                {database.result.copyMenu}
              </Button>
            }
            items={[
              { label: t.open, icon: Maximize2, onSelect: () => setOpen(true) },
              { label: t.copyCell, icon: ClipboardCopy, onSelect: () => copy(wholeText(value)) },
              { label: t.copyRow, icon: Rows3, onSelect: () => copy(JSON.stringify(objectOf(names, rows[cell.row] ?? []), null, 2)) },
              'separator',
              { label: t.copyCsv, icon: FileSpreadsheet, onSelect: () => copy(csv(names, rows)) },
              { label: t.copyJson, icon: Braces, onSelect: () => copy(JSON.stringify(asObjects(), null, 2)) },
              { label: t.download, icon: Download, onSelect: () => download(`query-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.csv`, 'text/csv', [csv(names, rows)]) },
            ]}
          />
        )}
      </div>
      {result.truncated && <Notice tone="info">{t.truncated}</Notice>}
      {notices.length > 0 && (
        <details open={notices.length <= 3} className="rounded bg-info-soft px-3 py-2">
          <summary className="cursor-pointer font-medium">{t.notices(notices.length)}</summary>
          <ul className="mt-1 space-y-1 font-mono text-sm">
            {notices.map((n, i) => (
              <li key={i} className="break-words whitespace-pre-wrap">
                {n.severity}: {[n.message, n.detail, n.hint].filter(Boolean).join('\n')}
              </li>
            ))}
          </ul>
        </details>
      )}
      {result.plan !== null && result.plan !== undefined ? (
        <CodeBlock label={t.plan} code={JSON.stringify(result.plan, null, 2)} />
      ) : rows.length > 0 ? (
        <ResultGrid columns={columns} rows={rows} cell={cell} onCell={setCell} onOpen={() => setOpen(true)} />
      ) : (
        columns.length > 0 && (
          <Card>
            <EmptyState title={t.noRows}>{run.role !== 'owner' && run.role !== 'service_role' && <p>{t.blocked}</p>}</EmptyState>
          </Card>
        )
      )}
      {result.claims && (
        <details>
          <summary className="cursor-pointer text-sm text-text-2">{t.claims}</summary>
          <div className="mt-2">
            <CodeBlock label={t.claims} code={JSON.stringify(result.claims, null, 2)} />
          </div>
        </details>
      )}
      <Dialog open={open} onOpenChange={setOpen} wide title={t.cell(names[cell.column] ?? '', formatNumber(cell.row + 1))} description={<span className="font-mono text-sm">{columns[cell.column]?.type}</span>}>
        <div className="pb-3">{value === null ? <span className="text-text-3 italic">{t.null}</span> : <CodeBlock label={columns[cell.column]?.type} code={typeof value === 'object' ? JSON.stringify(value, null, 2) : wholeText(value)} />}</div>
      </Dialog>
    </section>
  )
}
