import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { FlaskConical, LogIn } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { Sheet, SheetSkeleton } from '@/components/dialog'
import { ErrorNote, ErrorState } from '@/components/error'
import { KeyValue, KeyValues } from '@/components/page'
import { EmptyState, Notice, Status, type Tone } from '@/components/state'
import { CheckList } from '@/components/steps'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { formatExact } from '@/lib/format'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { attemptQuery, attemptsQuery, useDryRun, type Attempt, type Connection } from './sso'

const t = sso.attempts
const tones: Record<Attempt['outcome'], Tone> = { begun: 'neutral', accepted: 'ok', refused: 'danger' }

const columns: Column<Attempt>[] = [
  { id: 'at', header: t.columns.at, width: '124px', narrow: '104px', cell: (a) => <Time at={a.at} /> },
  { id: 'outcome', header: t.columns.outcome, width: '132px', narrow: 'minmax(0,124px)', cell: (a) => <Status tone={tones[a.outcome]}>{t.outcomes[a.outcome]}</Status> },
  { id: 'kind', header: t.columns.kind, width: '132px', narrow: 'hidden', cell: (a) => t.kinds[a.kind] },
  { id: 'who', header: t.columns.who, width: 'minmax(140px,1fr)', narrow: 'minmax(0,1fr)', cell: (a) => <span title={a.email}>{a.email || a.subject || <span className="text-text-3">–</span>}</span> },
  { id: 'reason', header: t.columns.reason, width: 'minmax(200px,2fr)', narrow: 'hidden', cell: (a) => <span title={a.reason}>{a.reason}</span> },
]

type Props = { projectRef: string; connection: Connection; open?: string; onOpen: (attempt?: string) => void; mayRead: boolean; mayWrite: boolean }

/** The attempts to sign in or out by a connection. */
export function SignIns({ projectRef: ref, connection: c, open, onOpen, mayRead, mayWrite }: Props) {
  const list = useInfiniteQuery({ ...attemptsQuery(ref, c.id), enabled: mayRead })
  const dry = useDryRun(ref, c.id)
  if (list.error && !list.data) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />
  const run = (
    <Button icon={FlaskConical} busy={dry.isPending || dry.isSuccess} disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} onClick={() => dry.mutate()}>
      {sso.test.run}
    </Button>
  )
  const rows = list.data?.pages.flat()
  return (
    <div className="space-y-3">
      {dry.error && <ErrorNote error={dry.error} />}
      {rows && rows.length > 0 && <div className="flex justify-end">{run}</div>}
      <Table
        label={t.title}
        columns={columns}
        rows={rows}
        rowKey={(a) => a.id}
        onOpen={(a) => onOpen(a.id)}
        onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        loadingMore={list.isFetchingNextPage}
        empty={
          <EmptyState icon={LogIn} title={t.empty} action={run}>
            <p>{t.emptyText}</p>
          </EmptyState>
        }
      />
      {open && mayRead && <AttemptSheet projectRef={ref} id={c.id} attempt={open} onClose={() => onOpen(undefined)} />}
    </div>
  )
}

/** One attempt, check by check. */
function AttemptSheet({ projectRef: ref, id, attempt, onClose }: { projectRef: string; id: string; attempt: string; onClose: () => void }) {
  const { data: a, error } = useQuery(attemptQuery(ref, id, attempt))
  return (
    <Sheet open onOpenChange={(shown) => !shown && onClose()} title={a ? `${t.kinds[a.kind]}: ${t.outcomes[a.outcome]}` : t.sheet} description={a && formatExact(a.at)}>
      {error ? <ErrorNote error={error} /> : a ? <Report projectRef={ref} attempt={a} /> : <SheetSkeleton />}
    </Sheet>
  )
}

function Report({ projectRef: ref, attempt: a }: { projectRef: string; attempt: Attempt }) {
  const steps = a.steps ?? []
  const dry = a.kind === 'dry_run'
  const names = Object.keys(a.statements).sort()
  return (
    <div className="space-y-5">
      {a.outcome === 'begun' && <Notice tone="neutral">{t.none}</Notice>}
      {a.outcome === 'refused' && <Notice tone="danger">{a.reason}</Notice>}
      {a.outcome === 'accepted' && dry && (
        <Notice tone="ok">
          {t.dryAccepted} {t.found[a.found]}
        </Notice>
      )}
      {steps.length > 0 && (
        <CheckList
          label={t.steps}
          checks={steps.map((s) => {
            const [name, advice] = sso.checks[s.check] ?? [s.check, '']
            return { name, status: s.ok ? 'passed' : 'failed', detail: s.ok ? undefined : <>{s.reason}{advice && <span className="mt-0.5 block text-text">{advice}</span>}</> }
          })}
        />
      )}
      <KeyValues>
        {a.email && <KeyValue label={t.email}><Copyable text={a.email} /></KeyValue>}
        {a.subject && <KeyValue label={t.subject}><Copyable text={a.subject} /></KeyValue>}
        {(a.groups ?? []).length > 0 && <KeyValue label={t.groups}>{(a.groups ?? []).join(', ')}</KeyValue>}
        {a.user_id && (
          <KeyValue label={t.user}>
            <Link to="/p/$ref/users/$id" params={{ ref, id: a.user_id }} className="font-mono text-sm break-all text-accent hover:underline">
              {a.user_id}
            </Link>
          </KeyValue>
        )}
        {a.ip && <KeyValue label={t.ip}><Copyable text={a.ip} /></KeyValue>}
      </KeyValues>
      {names.length > 0 && (
        <section className="space-y-2">
          <h3 className="font-medium">{t.statements}</h3>
          {!dry && <p className="text-sm text-text-2">{t.valuesHidden}</p>}
          <dl className="divide-y divide-line rounded border border-line">
            {names.map((name) => (
              <div key={name} className="px-3 py-1.5">
                <dt className="font-mono text-sm break-all">{name}</dt>
                {dry && <dd className="break-words text-text-2">{(a.statements[name] ?? []).join(', ')}</dd>}
              </div>
            ))}
          </dl>
        </section>
      )}
      {dry && a.email && <CodeBlock label={t.userMetadata} code={[{ label: t.userMetadata, code: JSON.stringify(a.user_metadata, null, 2) }, { label: t.appMetadata, code: JSON.stringify(a.app_metadata, null, 2) }]} />}
    </div>
  )
}
