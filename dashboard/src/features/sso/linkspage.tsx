import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Link2, Plus, SquareArrowOutUpRight, Unlink } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu } from '@/components/menu'
import { Page } from '@/components/page'
import { EmptyState, Status, type Tone } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { ssoLinks as t } from '@/strings/ssolinks'
import { Enable } from './enable'
import { linksQuery, useRevokeLink, type SetupLink } from './linksapi'
import { MakeLink } from './makelink'
import { connectionsQuery, overviewQuery } from './sso'
import { SSOTabs } from './ssotabs'

const c = t.columns
const tones: Record<string, Tone> = { open: 'info', used: 'ok', expired: 'neutral', revoked: 'neutral' }

const columns: Column<SetupLink>[] = [
  { id: 'name', header: c.name, width: 'minmax(140px,1.5fr)', narrow: 'minmax(0,1fr)', cell: (l) => <span className="font-medium" dir="auto" title={l.name}>{l.name}</span> },
  { id: 'state', header: c.state, width: '96px', narrow: '104px', cell: (l) => <Status tone={tones[l.state] ?? 'neutral'}>{t.states[l.state] ?? l.state}</Status> },
  { id: 'intents', header: c.intents, width: 'minmax(240px,3fr)', narrow: 'hidden', cell: (l) => <For link={l} /> },
  { id: 'opened', header: c.opened, width: '120px', narrow: 'hidden', cell: (l) => <Time at={l.opened_at} none={t.never} /> },
  { id: 'expires', header: c.expires, width: '104px', narrow: 'hidden', cell: (l) => <Time at={l.expires_at} /> },
  { id: 'by', header: c.by, width: 'minmax(120px,1fr)', narrow: 'hidden', cell: (l) => <span title={l.created_by}>{l.created_by}</span> },
]

/** What a link is for, and what of that is done. */
function For({ link }: { link: SetupLink }) {
  const text = (link.intents ?? []).map((i) => ((link.done ?? []).includes(i) ? t.doneOf(t.intents[i] ?? i) : (t.intents[i] ?? i))).join(' · ')
  return <span title={text}>{text}</span>
}

type Props = { projectRef: string; mayWrite: boolean; /** A link is being made: for a new connection, or for the one with this id. */ make?: string; onMake: (make?: string) => void }

/** The setup links of a project. */
export function LinksPage({ projectRef: ref, mayWrite, make, onMake }: Props) {
  const list = useQuery(linksQuery(ref))
  const connections = useQuery(connectionsQuery(ref)).data
  const on = useQuery(overviewQuery(ref)).data?.saml_enabled ?? false
  const revoke = useRevokeLink(ref)
  const [revoking, setRevoking] = useState<SetupLink>()
  const navigate = useNavigate()
  const existing = (l: SetupLink) => connections?.some((known) => known.id === l.provider_id)
  const button = (
    <Button kind="primary" icon={Plus} disabled={!mayWrite || !on} title={mayWrite ? undefined : common.notAllowed} onClick={() => onMake('new')}>
      {t.make}
    </Button>
  )
  return (
    <Page title={sso.title} description={t.text} action={list.data && list.data.length > 0 && button} wide>
      <SSOTabs projectRef={ref} />
      <Enable projectRef={ref} mayWrite={mayWrite} />
      {list.error && !list.data ? (
        <ErrorState error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <Table
          label={t.title}
          columns={columns}
          rows={list.data}
          rowKey={(l) => l.id}
          rowMenu={(l) => (
            <Menu
              items={[
                { label: t.open, icon: SquareArrowOutUpRight, disabled: !existing(l), onSelect: () => void navigate({ to: '/p/$ref/sso/$id', params: { ref, id: l.provider_id } }) },
                { label: t.revoke, icon: Unlink, danger: true, disabled: !mayWrite || l.state !== 'open', onSelect: () => setRevoking(l) },
              ]}
            />
          )}
          empty={
            <EmptyState icon={Link2} title={t.empty.title} action={button}>
              <p>{t.empty.text}</p>
            </EmptyState>
          }
        />
      )}
      {make && connections && mayWrite && <MakeLink key={make} projectRef={ref} connections={connections} connection={make} onClose={() => onMake(undefined)} />}
      <ConfirmDialog open={revoking !== undefined} onOpenChange={(open) => !open && setRevoking(undefined)} title={t.revokeTitle(revoking?.name ?? '')} action={t.revoke} onConfirm={async () => {
        if (!revoking) return
        await revoke.mutateAsync(revoking.id)
        toast(t.revoked(revoking.name))
      }}>
        <p>{t.revokeText}</p>
      </ConfirmDialog>
    </Page>
  )
}
