import { useQuery } from '@tanstack/react-query'
import { Ticket, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu } from '@/components/menu'
import { EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { Tooltip } from '@/components/tooltip'
import type { Schema } from '@/lib/api/client'
import { tokens } from '@/strings/tokens'
import { serviceTokensQuery, useRevokeServiceToken } from './servicetokens'

type Token = Schema<'ServicetokenToken'>
type Props = { slug: string; mayWrite: boolean; nameOf: (userId: string) => string; projectName: (ref: string) => string; create: ReactNode }

/** The service tokens of an organization. */
export function ServiceTokens({ slug, mayWrite, nameOf, projectName, create }: Props) {
  const list = useQuery(serviceTokensQuery(slug))
  const revoke = useRevokeServiceToken(slug)
  const [revoking, setRevoking] = useState<Token>()
  if (list.error) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />
  const columns: Column<Token>[] = [
    { id: 'name', header: tokens.columns.name, width: 'minmax(180px,2fr)', cell: (k) => k.name },
    {
      id: 'permissions',
      header: tokens.columns.permissions,
      cell: (k) => (
        <Tooltip text={(k.permissions ?? []).join(', ')}>
          <span tabIndex={0}>{tokens.count(k.permissions?.length ?? 0)}</span>
        </Tooltip>
      ),
    },
    { id: 'projects', header: tokens.columns.projects, cell: (k) => (k.projects?.length ? k.projects.map(projectName).join(', ') : tokens.allProjects) },
    { id: 'by', header: tokens.columns.createdBy, cell: (k) => (k.created_by ? nameOf(k.created_by) : '–') },
    { id: 'used', header: tokens.columns.lastUsed, width: '130px', cell: (k) => <Time at={k.last_used_at} none={tokens.never} /> },
    { id: 'expires', header: tokens.columns.expires, width: '130px', cell: (k) => <Time at={k.expires_at} none={tokens.never} /> },
  ]
  return (
    <>
      <Table
        label={tokens.title}
        columns={columns}
        rows={list.data}
        rowKey={(k) => k.id}
        total={list.data?.length}
        rowMenu={mayWrite ? (k) => <Menu items={[{ label: tokens.revoke, icon: Trash2, danger: true, onSelect: () => setRevoking(k) }]} /> : undefined}
        empty={
          <EmptyState icon={Ticket} title={tokens.empty.title} action={create}>
            {tokens.empty.text}
          </EmptyState>
        }
      />
      <ConfirmDialog
        open={revoking !== undefined}
        onOpenChange={() => setRevoking(undefined)}
        title={tokens.revokeTitle(revoking?.name ?? '')}
        action={tokens.revoke}
        onConfirm={async () => {
          await revoke.mutateAsync(revoking?.id ?? '')
          toast(tokens.revoked(revoking?.name ?? ''))
        }}
      >
        <p>{tokens.revokeText}</p>
      </ConfirmDialog>
    </>
  )
}
