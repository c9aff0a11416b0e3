import { useQuery } from '@tanstack/react-query'
import { MailPlus, Send, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu } from '@/components/menu'
import { Badge, EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast, toastError } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { team } from '@/strings/team'
import { invitationsQuery, useResend, useRevoke } from './invitations'

type Invitation = Schema<'MemberInvitation'>

type Props = { slug: string; mayWrite: boolean; nameOf: (userId: string) => string; projectName: (ref: string) => string }

/** The open invitations of an organization. */
export function Invitations({ slug, mayWrite, nameOf, projectName }: Props) {
  const t = team.invitations
  const invitations = useQuery(invitationsQuery(slug))
  const resend = useResend(slug)
  const revoke = useRevoke(slug)
  const [revoking, setRevoking] = useState<Invitation>()
  if (invitations.error) return <ErrorState error={invitations.error} onRetry={() => void invitations.refetch()} />
  const columns: Column<Invitation>[] = [
    { id: 'person', header: team.columns.person, width: 'minmax(220px,2fr)', cell: (i) => <bdi>{i.email}</bdi> },
    { id: 'role', header: team.columns.role, cell: (i) => i.role },
    { id: 'project', header: team.columns.project, cell: (i) => (i.ref ? projectName(i.ref) : team.wholeOrganization) },
    { id: 'by', header: team.columns.invitedBy, cell: (i) => nameOf(i.invited_by) },
    { id: 'sent', header: team.columns.sent, width: '130px', cell: (i) => <Time at={i.sent_at} none={t.waiting} /> },
    { id: 'expires', header: team.columns.expires, width: '130px', cell: (i) => (i.expired ? <Badge tone="warn">{t.expired}</Badge> : <Time at={i.expires_at} />) },
  ]
  const again = async (i: Invitation) => {
    try {
      await resend.mutateAsync(i.id)
      toast(t.resent(i.email))
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <>
      <Table
        label={team.tabs.invitations}
        columns={columns}
        rows={invitations.data}
        rowKey={(i) => i.id}
        total={invitations.data?.length}
        rowMenu={
          mayWrite
            ? (i) => (
                <Menu
                  items={[
                    { label: t.resend, icon: Send, onSelect: () => void again(i) },
                    { label: t.revoke, icon: Trash2, danger: true, onSelect: () => setRevoking(i) },
                  ]}
                />
              )
            : undefined
        }
        empty={
          <EmptyState icon={MailPlus} title={t.emptyTitle}>
            {t.emptyText}
          </EmptyState>
        }
      />
      <ConfirmDialog
        open={revoking !== undefined}
        onOpenChange={() => setRevoking(undefined)}
        title={t.revokeTitle(revoking?.email ?? '')}
        action={t.revoke}
        onConfirm={async () => {
          await revoke.mutateAsync(revoking?.id ?? '')
          toast(t.revoked(revoking?.email ?? ''))
        }}
      >
        <p>{t.revokeText}</p>
      </ConfirmDialog>
    </>
  )
}
