import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { DiffList } from '@/components/diff'
import { Sheet, SheetSkeleton } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { KeyValue, KeyValues } from '@/components/page'
import { EmptyState, Status } from '@/components/state'
import { formatExact } from '@/lib/format'
import { audit as t } from '@/strings/audit'
import { auditEntryQuery, changesOf, type AuditEntry, type Result } from './audit'

export const tones = { done: 'ok', refused: 'warn', failed: 'danger', unknown: 'neutral' } as const satisfies Record<Result, string>

/** An entry with what changed. One that is not among the rows is asked for. */
export function AuditSheet({ slug, seq, row, who, onClose }: { slug: string; seq: number; row: AuditEntry | undefined; who: (entry: AuditEntry) => string; onClose: () => void }) {
  const asked = useQuery({ ...auditEntryQuery(slug, seq), enabled: row === undefined })
  const shown = row ?? asked.data
  return (
    <Sheet open onOpenChange={(open) => !open && onClose()} title={shown?.action ?? t.title}>
      {shown ? (
        <Entry of={shown} who={who(shown)} />
      ) : asked.error ? (
        <ErrorState error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isPending ? (
        <SheetSkeleton />
      ) : (
        <EmptyState title={t.detail.gone} />
      )}
    </Sheet>
  )
}

function Entry({ of: e, who }: { of: AuditEntry; who: string }) {
  const { changes, asked, outcome } = changesOf(e)
  const json = (value: unknown) => JSON.stringify(value, null, 2)
  return (
    <div className="space-y-6">
      {changes.length > 0 && (
        <section>
          <h3 className="mb-1 font-semibold">{t.detail.changes}</h3>
          <DiffList changes={changes} />
        </section>
      )}
      {Object.keys(asked).length > 0 && <CodeBlock label={t.detail.body} code={json(asked)} />}
      {Object.keys(outcome).length > 0 && <CodeBlock label={t.detail.outcome} code={json(outcome)} />}
      <KeyValues>
        <KeyValue label={t.detail.at}>{formatExact(e.at)}</KeyValue>
        <KeyValue label={t.detail.who}>
          <span dir="auto">{who}</span>
          {e.actor && (
            <span className="block">
              <Copyable text={e.actor} />
            </span>
          )}
        </KeyValue>
        {e.service_token && <KeyValue label={t.detail.serviceToken}>{e.service_token}</KeyValue>}
        {e.token && (
          <KeyValue label={t.detail.token}>
            <Copyable text={e.token} />
          </KeyValue>
        )}
        {e.ip && (
          <KeyValue label={t.detail.ip}>
            <Copyable text={e.ip} />
          </KeyValue>
        )}
        <KeyValue label={t.detail.result}>
          <Status tone={tones[e.result]}>{t.results[e.result]}</Status>
        </KeyValue>
        {e.code && (
          <KeyValue label={t.detail.code}>
            <span className="font-mono text-sm">{e.code}</span>
          </KeyValue>
        )}
        {e.ref && (
          <KeyValue label={t.detail.project}>
            <Link to="/p/$ref" params={{ ref: e.ref }} className="font-mono text-sm text-accent hover:underline">
              {e.ref}
            </Link>
          </KeyValue>
        )}
        <KeyValue label={t.detail.object}>
          <span className="font-mono text-sm">{e.object}</span>
        </KeyValue>
        <KeyValue label={t.detail.request}>
          <Copyable text={e.request_id} />
        </KeyValue>
        <KeyValue label={t.detail.seq}>{e.seq}</KeyValue>
      </KeyValues>
      <CodeBlock label={t.detail.all} code={json(e)} />
    </div>
  )
}
