import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Webhook } from 'lucide-react'
import { Copyable } from '@/components/copy'
import { Sheet } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { KeyValue, KeyValues, Section } from '@/components/page'
import { EmptyState, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { formatExact, formatMillis } from '@/lib/format'
import { hooks as t } from '@/strings/hooks'
import { callsQuery, type Call } from './hooks'
import { labelOfPoint, type Point } from './points'
import { tones } from './words'

const c = t.calls

const columns: Column<Call>[] = [
  { id: 'at', header: c.columns.at, width: '116px', narrow: '104px', cell: (call) => <Time at={call.at} /> },
  { id: 'outcome', header: c.columns.outcome, width: '116px', cell: (call) => <Status tone={tones[call.outcome]}>{c.outcome[call.outcome]}</Status> },
  { id: 'duration', header: c.columns.duration, width: '88px', narrow: 'hidden', align: 'right', cell: (call) => formatMillis(call.duration_ms) },
  { id: 'error', header: c.columns.error, width: 'minmax(160px,1fr)', narrow: 'minmax(0,1fr)', cell: (call) => <span title={call.error}>{call.error}</span> },
  { id: 'mode', header: c.columns.mode, width: '84px', narrow: 'hidden', cell: (call) => t.modes[call.mode] ?? call.mode },
]

type Props = { projectRef: string; point: Point; open?: string; onOpen: (call?: string) => void }

/** The last calls of a hook. */
export function Calls({ projectRef, point, open, onOpen }: Props) {
  const calls = useQuery(callsQuery(projectRef, point))
  return (
    <Section id="calls" title={c.title} description={c.text}>
      {calls.error && <ErrorNote error={calls.error} />}
      {!(calls.error && !calls.data) && (
        <Table
          label={c.label}
          columns={columns}
          rows={calls.data}
          rowKey={(call) => call.id}
          onOpen={(call) => onOpen(call.id)}
          maxHeight="400px"
          empty={
            <EmptyState icon={Webhook} title={c.empty}>
              <p>{c.emptyText}</p>
            </EmptyState>
          }
        />
      )}
      {open && calls.data && <CallSheet projectRef={projectRef} title={labelOfPoint(point)} call={calls.data.find((call) => call.id === open)} onClose={() => onOpen(undefined)} />}
    </Section>
  )
}

/** One call, whole. */
function CallSheet({ projectRef: ref, title, call, onClose }: { projectRef: string; title: string; call: Call | undefined; onClose: () => void }) {
  return (
    <Sheet open onOpenChange={(shown) => !shown && onClose()} title={title}>
      {call ? (
        <div className="space-y-5">
          <p>{c.outcomeText[call.outcome]}</p>
          {call.mode === 'shadow' && <p className="text-text-2">{c.shadow}</p>}
          <KeyValues>
            <KeyValue label={c.columns.at}>{formatExact(call.at)}</KeyValue>
            <KeyValue label={c.columns.outcome}>
              <Status tone={tones[call.outcome]}>{c.outcome[call.outcome]}</Status>
            </KeyValue>
            <KeyValue label={c.columns.duration}>{formatMillis(call.duration_ms)}</KeyValue>
            <KeyValue label={c.columns.mode}>{t.modes[call.mode] ?? call.mode}</KeyValue>
            {call.status > 0 && <KeyValue label={c.status}>{call.status}</KeyValue>}
            {call.error && (
              <KeyValue label={c.columns.error}>
                <span className="font-mono text-sm break-words whitespace-pre-wrap">{call.error}</span>
              </KeyValue>
            )}
            {call.request_id && (
              <KeyValue label={c.columns.request}>
                <Copyable text={call.request_id} />
                <Link to="/p/$ref/logs" params={{ ref }} search={{ request: call.request_id }} className="block text-sm text-accent hover:underline">
                  {c.log}
                </Link>
              </KeyValue>
            )}
          </KeyValues>
        </div>
      ) : (
        <EmptyState title={c.gone}>
          <p>{c.goneText}</p>
        </EmptyState>
      )}
    </Sheet>
  )
}
