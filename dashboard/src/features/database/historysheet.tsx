import { Button } from '@/components/button'
import { Sheet } from '@/components/dialog'
import { Badge, EmptyState } from '@/components/state'
import { Time } from '@/components/time'
import { database } from '@/strings/database'
import type { Ran } from './draft'

const t = database.history

/** What was run in this browser. */
export function HistorySheet({ runs, onClose, onUse, onClear }: { runs: Ran[]; onClose: () => void; onUse: (sql: string) => void; onClear: () => void }) {
  return (
    <Sheet open onOpenChange={(open) => !open && onClose()} title={t.title} description={t.text} footer={runs.length > 0 && <Button onClick={onClear}>{t.clear}</Button>}>
      {runs.length === 0 ? (
        <EmptyState title={t.none} />
      ) : (
        <ul className="space-y-3">
          {runs.map((r, i) => (
            <li key={i} className="rounded border border-line">
              <div className="flex items-center gap-2 border-b border-line px-3 py-1 text-sm text-text-2">
                <Time at={r.at} />
                {r.role !== 'owner' && <Badge>{r.role}</Badge>}
                {r.state === 'failed' && <Badge tone="danger">{t.failed}</Badge>}
                {r.state === 'draft' && <Badge tone="info">{t.draft}</Badge>}
                <span className="tabular flex-1">{r.ms !== null && `${Math.round(r.ms)} ms`}</span>
                <Button size="small" onClick={() => onUse(r.sql)}>
                  {t.use}
                </Button>
              </div>
              <pre tabIndex={0} className="max-h-32 overflow-auto p-3 font-mono text-sm whitespace-pre-wrap break-words">
                {r.sql}
              </pre>
            </li>
          ))}
        </ul>
      )}
    </Sheet>
  )
}
