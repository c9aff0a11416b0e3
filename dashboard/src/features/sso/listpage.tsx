import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Building2, Plus } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorState } from '@/components/error'
import { Page, Section } from '@/components/page'
import { EmptyState, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { formatNumber } from '@/lib/format'
import { sso as t } from '@/strings/sso'
import { Enable } from './enable'
import { Keys } from './keys'
import { connectionsQuery, overviewQuery, type Connection } from './sso'
import { SSOTabs } from './ssotabs'
import { ended, endsSoon, stateOf, tones } from './state'
import { Values } from './values'

const c = t.columns

const columns: Column<Connection>[] = [
  { id: 'name', header: c.name, width: 'minmax(180px,2fr)', narrow: 'minmax(0,1fr)', cell: (p) => <span className="font-medium" dir="auto" title={p.label}>{p.label}</span> },
  { id: 'state', header: c.state, width: '148px', narrow: 'minmax(0,136px)', cell: (p) => <State connection={p} /> },
  { id: 'kind', header: c.kind, width: '88px', narrow: 'hidden', cell: (p) => t.kinds[p.type] },
  { id: 'domains', header: c.domains, width: 'minmax(140px,1.5fr)', narrow: 'hidden', cell: (p) => <span title={(p.domains ?? []).join(', ')}>{(p.domains ?? []).join(', ') || <span className="text-text-3">–</span>}</span> },
  { id: 'users', header: c.users, width: '84px', narrow: 'hidden', align: 'right', cell: (p) => formatNumber(p.users) },
  { id: 'last', header: c.lastSignIn, width: '128px', narrow: 'hidden', cell: (p) => <Time at={p.last_sign_in_at} /> },
  { id: 'until', header: c.certificate, width: '148px', narrow: 'hidden', cell: (p) => <Until at={p.saml?.certificate_expires_at} /> },
]

export function State({ connection }: { connection: Connection }) {
  const state = stateOf(connection)
  return <Status tone={tones[state]}>{t.states[state]}</Status>
}

function Until({ at }: { at: string | undefined }) {
  if (!at) return <span className="text-text-3">–</span>
  const now = Date.now()
  return <span className={ended(at, now) ? 'font-medium text-danger' : endsSoon(at, now) ? 'font-medium text-warn' : undefined}>{new Date(at).toLocaleDateString(undefined, { dateStyle: 'medium' })}</span>
}

/** The enterprise connections of a project. */
export function ConnectionsPage({ projectRef: ref, mayWrite }: { projectRef: string; mayWrite: boolean }) {
  const list = useQuery(connectionsQuery(ref))
  const overview = useQuery(overviewQuery(ref)).data
  const navigate = useNavigate()
  const add = mayWrite && overview?.saml_enabled && (
    <Link to="/p/$ref/sso/new" params={{ ref }} className={buttonClass('primary')}>
      <Plus className="size-4" strokeWidth={1.5} aria-hidden />
      {t.add}
    </Link>
  )
  const none = list.data?.length === 0
  return (
    <Page title={t.title} description={t.text} action={!none && add} wide>
      <SSOTabs projectRef={ref} />
      <Enable projectRef={ref} mayWrite={mayWrite} />
      {list.error && !list.data ? (
        <ErrorState error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <>
          <div className="mb-10">
            <Table
              label={t.list}
              columns={columns}
              rows={list.data}
              rowKey={(p) => p.id}
              onOpen={(p) => void navigate({ to: '/p/$ref/sso/$id', params: { ref, id: p.id } })}
              maxHeight="480px"
              empty={
                <EmptyState icon={Building2} title={t.empty.title} action={add}>
                  <p>{t.empty.text}</p>
                  <CodeBlock label="JavaScript" code={t.empty.code} />
                </EmptyState>
              }
            />
          </div>
          <Section id="values" title={t.values.title} description={t.values.text}>
            <Values projectRef={ref} />
          </Section>
          {overview?.saml_enabled && <Keys projectRef={ref} mayWrite={mayWrite} />}
        </>
      )}
    </Page>
  )
}
