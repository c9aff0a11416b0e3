import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Users } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable, SecretField } from '@/components/copy'
import { ConfirmDialog, Dialog, Sheet } from '@/components/dialog'
import { ErrorNote, ErrorState } from '@/components/error'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Segments } from '@/components/segments'
import { EmptyState, Notice, Skeleton, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { formatExact } from '@/lib/format'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { pushesQuery, scimTokensQuery, useMakeToken, useReplay, useRevokeToken, type Push } from './scimapi'

const t = sso.scim

type Props = { projectRef: string; id: string; mayWrite: boolean; mayReadUsers: boolean; mayWriteUsers: boolean }

/** How the company's directory provisions users: its tokens, and what it pushed. */
export function Directory(props: Props) {
  return (
    <>
      <Tokens {...props} />
      {props.mayReadUsers && <Pushes {...props} />}
    </>
  )
}

function Tokens({ projectRef: ref, id, mayWrite }: Props) {
  const { data, error, refetch } = useQuery(scimTokensQuery(ref, id))
  const make = useMakeToken(ref, id)
  const revoke = useRevokeToken(ref, id)
  const [revoking, setRevoking] = useState<string>()
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />
  const now = Date.now()
  const stateOf = (token: { revoked_at: string | null; expires_at: string | null }) => (token.revoked_at ? 'revoked' : token.expires_at && Date.parse(token.expires_at) < now ? 'expired' : 'active')
  return (
    <Section
      title={t.title}
      description={t.text}
      action={
        <Button busy={make.isPending} disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} onClick={() => make.mutate(undefined)}>
          {t.make}
        </Button>
      }
    >
      {make.error && <div className="mb-3"><ErrorNote error={make.error} /></div>}
      <Card>
        <div className="border-b border-line px-4">
          <KeyValues>
            <KeyValue label={t.base}>{data ? <Copyable text={data.base_url} /> : <Skeleton className="h-4 w-72 max-w-full" />}</KeyValue>
          </KeyValues>
        </div>
        {data?.items?.length === 0 && <p className="px-4 py-6 text-center text-text-2">{t.none}</p>}
        <ul className="divide-y divide-line" aria-label={t.title}>
          {(data?.items ?? []).map((token) => {
            const state = stateOf(token)
            return (
              <li key={token.id} className="flex flex-wrap items-center gap-x-6 gap-y-1 px-4 py-2">
                <span className="min-w-40 flex-1 font-mono text-sm">{token.prefix}…</span>
                <Status tone={state === 'active' ? 'ok' : 'neutral'}>{t[state]}</Status>
                <span className="text-text-2">{t.made} <Time at={token.created_at} /></span>
                <span className="text-text-2">{token.last_used_at ? <>{t.used} <Time at={token.last_used_at} /></> : t.never}</span>
                {state === 'active' && (
                  <Button size="small" disabled={!mayWrite} onClick={() => setRevoking(token.id)}>
                    {t.revoke}
                  </Button>
                )}
              </li>
            )
          })}
        </ul>
      </Card>
      <ConfirmDialog open={revoking !== undefined} onOpenChange={(open) => !open && setRevoking(undefined)} title={t.revokeTitle} action={t.revoke} onConfirm={async () => {
        if (revoking) await revoke.mutateAsync(revoking)
        toast(t.revokedDone)
      }}>
        <p>{t.revokeText}</p>
      </ConfirmDialog>
      {make.data && (
        <Dialog open onOpenChange={() => {}} title={t.madeTitle} footer={<Button kind="primary" onClick={() => make.reset()}>{t.done}</Button>}>
          <div className="space-y-4 pb-2">
            <Notice tone="warn">{t.madeText}</Notice>
            <KeyValues>
              <KeyValue label={t.base}><Copyable text={make.data.base_url} /></KeyValue>
              <KeyValue label={t.token}><SecretField label={t.token} value={make.data.token} /></KeyValue>
            </KeyValues>
          </div>
        </Dialog>
      )}
    </Section>
  )
}

const columns: Column<Push>[] = [
  { id: 'at', header: t.columns.at, width: '124px', narrow: '104px', cell: (p) => <Time at={p.at} /> },
  { id: 'status', header: t.columns.status, width: '96px', narrow: '84px', cell: (p) => <Status tone={p.status < 400 ? 'ok' : 'danger'}>{String(p.status)}</Status> },
  { id: 'method', header: t.columns.method, width: 'minmax(200px,1fr)', narrow: 'minmax(0,1fr)', cell: (p) => <span className="font-mono text-sm" title={`${p.method} ${p.path}`}>{p.method} {p.path}</span> },
  { id: 'error', header: t.columns.error, width: 'minmax(160px,1fr)', narrow: 'hidden', cell: (p) => <span title={p.error}>{p.error}</span> },
]

function Pushes({ projectRef: ref, id, mayWriteUsers }: Props) {
  const [failed, setFailed] = useState(false)
  const list = useInfiniteQuery(pushesQuery(ref, id, failed))
  const [open, setOpen] = useState<Push>()
  const replay = useReplay(ref, id)
  const close = () => {
    replay.reset()
    setOpen(undefined)
  }
  return (
    <Section
      title={t.log}
      description={t.logText}
      action={<Segments label={t.show} value={failed ? 'failed' : 'all'} onChange={(shown) => setFailed(shown === 'failed')} options={[{ value: 'all', label: t.all }, { value: 'failed', label: t.failed }]} />}
    >
      {list.error && <ErrorNote error={list.error} />}
      <Table
        label={t.log}
        columns={columns}
        rows={list.data?.pages.flat()}
        rowKey={(p) => String(p.id)}
        onOpen={setOpen}
        onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        loadingMore={list.isFetchingNextPage}
        maxHeight="480px"
        empty={<EmptyState icon={Users} title={failed ? t.noneFailed : t.logEmpty}><p>{failed ? t.noneFailedText : t.logEmptyText}</p></EmptyState>}
      />
      <Sheet
        open={open !== undefined}
        onOpenChange={(shown) => !shown && close()}
        title={t.sheet}
        description={open && formatExact(open.at)}
        footer={
          open && (
            <Button busy={replay.isPending} disabled={!mayWriteUsers || open.request_cut} title={mayWriteUsers ? undefined : common.notAllowed} onClick={() => replay.mutate(open.id)}>
              {t.replay}
            </Button>
          )
        }
      >
        {open && (
          <div className="space-y-5">
            <KeyValues>
              <KeyValue label={t.columns.method}><span className="font-mono text-sm break-all">{open.method} {open.path}</span></KeyValue>
              <KeyValue label={t.columns.status}><Status tone={open.status < 400 ? 'ok' : 'danger'}>{String(open.status)}</Status></KeyValue>
              {open.error && <KeyValue label={t.columns.error}>{open.error}</KeyValue>}
              {open.replay_of && <KeyValue label={t.of}>{String(open.replay_of)}</KeyValue>}
            </KeyValues>
            {open.request_cut && <Notice>{t.cut}</Notice>}
            {open.request && <CodeBlock label={t.body} code={open.request} />}
            {replay.error && <ErrorNote error={replay.error} />}
            {replay.data && (
              <>
                <Notice tone={replay.data.status < 400 ? 'ok' : 'danger'}>{t.replayed(replay.data.status)}</Notice>
                {replay.data.body !== null && <CodeBlock label={t.answer} code={JSON.stringify(replay.data.body, null, 2)} />}
              </>
            )}
          </div>
        )}
      </Sheet>
    </Section>
  )
}
