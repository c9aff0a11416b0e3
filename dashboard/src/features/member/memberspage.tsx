import { useQuery } from '@tanstack/react-query'
import { Crown, LogOut, ShieldCheck, UserCog, UserMinus, Users } from 'lucide-react'
import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu, type MenuItem } from '@/components/menu'
import { Badge, EmptyState, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { team } from '@/strings/team'
import { membersQuery, useRemoveMember, useTransfer } from './members'
import { RoleOfMember } from './roleofmember'

type Member = Schema<'Member'>
type Props = { slug: string; me: string; roles: Schema<'MemberRole'>[]; mayWrite: boolean; onLeft: () => void }

/** The members of an organization with their roles. */
export function Members({ slug, me, roles, mayWrite, onLeft }: Props) {
  const members = useQuery(membersQuery(slug))
  const [acting, act] = useState<{ on: Member; to: 'change' | 'remove' | 'transfer' }>()
  const remove = useRemoveMember(slug)
  const transfer = useTransfer(slug)
  if (members.error) return <ErrorState error={members.error} onRetry={() => void members.refetch()} />
  const mine = members.data?.find((m) => m.user_id === me)
  const columns: Column<Member>[] = [
    {
      id: 'person',
      header: team.columns.person,
      width: 'minmax(160px,3fr)',
      narrow: '200px',
      cell: (m) => (
        <span className="flex items-center gap-2">
          <bdi className="truncate">{m.name || m.user_name}</bdi>
          {m.name && <span className="truncate text-text-2">{m.user_name}</span>}
          {m.user_id === me && <Badge>{team.you}</Badge>}
        </span>
      ),
    },
    { id: 'role', header: team.columns.role, width: 'minmax(110px,1fr)', narrow: '112px', cell: (m) => m.role_name },
    { id: 'mfa', header: team.columns.mfa, width: '140px', cell: (m) => <Status tone={m.mfa_enabled ? 'ok' : 'neutral'}>{m.mfa_enabled ? team.mfaOn : team.mfaOff}</Status> },
  ]
  const menu = (m: Member): MenuItem[] => [
    ...(mayWrite ? [{ label: team.changeRole.action, icon: UserCog, onSelect: () => act({ on: m, to: 'change' }) }] : []),
    ...(mine?.role_name === 'owner' && m.user_id !== me ? [{ label: team.transfer.action, icon: Crown, onSelect: () => act({ on: m, to: 'transfer' }) }] : []),
    ...(m.user_id === me
      ? [{ label: team.leave.action, icon: LogOut, danger: true, onSelect: () => act({ on: m, to: 'remove' }) }]
      : mayWrite
        ? [{ label: team.remove.action, icon: UserMinus, danger: true, onSelect: () => act({ on: m, to: 'remove' }) }]
        : []),
  ]
  const who = acting?.on.user_name ?? ''
  const leaving = acting?.on.user_id === me
  return (
    <>
      <Table
        label={team.title}
        columns={columns}
        rows={members.data}
        rowKey={(m) => m.user_id}
        total={members.data?.length}
        rowMenu={(m) => {
          const items = menu(m)
          return items.length > 0 ? <Menu items={items} /> : null
        }}
        empty={
          <EmptyState icon={Users} title={team.empty.title}>
            {team.empty.text}
          </EmptyState>
        }
      />
      {acting?.to === 'change' && <RoleOfMember slug={slug} member={acting.on} roles={roles} onClose={() => act(undefined)} />}
      <ConfirmDialog
        open={acting?.to === 'remove'}
        onOpenChange={() => act(undefined)}
        title={leaving ? team.leave.title : team.remove.title(who)}
        action={leaving ? team.leave.action : team.remove.action}
        onConfirm={async () => {
          await remove.mutateAsync(acting?.on.user_id ?? '')
          if (leaving) onLeft()
          else toast(team.remove.done(who))
        }}
      >
        <p>{leaving ? team.leave.text : team.remove.text}</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={acting?.to === 'transfer'}
        onOpenChange={() => act(undefined)}
        title={team.transfer.title(who)}
        action={team.transfer.confirm}
        typed={who}
        onConfirm={async () => {
          await transfer.mutateAsync(acting?.on.user_id ?? '')
          toast(team.transfer.done(who))
        }}
      >
        <p className="flex gap-2">
          <ShieldCheck className="mt-0.5 size-4 shrink-0" strokeWidth={1.5} aria-hidden />
          {team.transfer.text}
        </p>
      </ConfirmDialog>
    </>
  )
}
