import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { Sheet, SheetSkeleton } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { KeyValue, KeyValues } from '@/components/page'
import { EmptyState, Status } from '@/components/state'
import { formatExact, formatNumber } from '@/lib/format'
import { logs as t } from '@/strings/logs'
import { logEntryQuery, type Level, type LogEntry, type LogSearch } from './logs'

export const tones = { info: 'info', warning: 'warn', error: 'danger' } as const satisfies Record<Level, string>

/** The whole of an entry, and what belongs to it. One that is not among the rows is asked for. */
export function LogSheet({ projectRef, id, row, onClose }: { projectRef: string; id: string; row: LogEntry | undefined; onClose: () => void }) {
  const asked = useQuery({ ...logEntryQuery(projectRef, id), enabled: row === undefined })
  const shown = row ?? asked.data
  return (
    <Sheet open onOpenChange={(open) => !open && onClose()} title={shown?.code ?? t.title}>
      {shown ? (
        <Entry projectRef={projectRef} of={shown} />
      ) : asked.error ? (
        <ErrorState error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isPending ? (
        <SheetSkeleton />
      ) : (
        <EmptyState title={t.detail.gone}>
          <p>{t.detail.goneText}</p>
        </EmptyState>
      )}
    </Sheet>
  )
}

function Entry({ projectRef: ref, of: e }: { projectRef: string; of: LogEntry }) {
  const ids = e.request_ids ?? []
  const detail = e.detail as Record<string, unknown> | null
  const filtered = (search: LogSearch, label: string) => (
    <Link to="/p/$ref/logs" params={{ ref }} search={search} className="text-sm text-accent hover:underline">
      {label}
    </Link>
  )
  return (
    <div className="space-y-5">
      <p className="text-lg break-words">{e.message}</p>
      <KeyValues>
        <KeyValue label={t.detail.at}>{formatExact(e.at)}</KeyValue>
        <KeyValue label={t.detail.level}>
          <Status tone={tones[e.level]}>{t.levels[e.level]}</Status>
        </KeyValue>
        <KeyValue label={t.detail.code}>
          <Copyable text={e.code} /> {filtered({ code: e.code }, t.detail.ofCode)}
        </KeyValue>
        {e.count > 1 && <KeyValue label={t.detail.count}>{formatNumber(e.count)}</KeyValue>}
        {e.route && (
          <KeyValue label={t.detail.route}>
            <span className="font-mono text-sm">{e.route}</span>
          </KeyValue>
        )}
        {ids.length > 0 && (
          <KeyValue label={ids.length > 1 ? t.detail.requests(ids.length) : t.detail.request}>
            <ul>
              {ids.map((id) => (
                <li key={id}>
                  <Copyable text={id} />
                </li>
              ))}
            </ul>
            {ids.length === 1 && filtered({ request: ids[0] }, t.detail.ofRequest)}
          </KeyValue>
        )}
        {e.user_id && (
          <KeyValue label={t.detail.user}>
            <Copyable text={e.user_id} />
            <span className="flex gap-4">
              <Link to="/p/$ref/users/$id" params={{ ref, id: e.user_id }} className="text-sm text-accent hover:underline">
                {t.detail.openUser}
              </Link>
              {filtered({ user: e.user_id }, t.detail.ofUser)}
            </span>
          </KeyValue>
        )}
        {e.client_ip && (
          <KeyValue label={t.detail.ip}>
            <Copyable text={e.client_ip} />
          </KeyValue>
        )}
        {detail &&
          Object.entries(detail)
            .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
            .map(([name, value]) => (
              <KeyValue key={name} label={<span className="font-mono text-sm">{name}</span>}>
                <span className="font-mono text-sm break-words whitespace-pre-wrap">{String(value)}</span>
              </KeyValue>
            ))}
      </KeyValues>
      <CodeBlock label={t.detail.detail} code={JSON.stringify(e, null, 2)} />
    </div>
  )
}
