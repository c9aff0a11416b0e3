import { useQuery } from '@tanstack/react-query'
import { Plus, Ticket, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu } from '@/components/menu'
import { Section } from '@/components/page'
import { EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { Tooltip } from '@/components/tooltip'
import { account } from '@/strings/account'
import { tokensQuery, useRevokeToken, type Token } from './tokens'

type Props = { onCreate: () => void; children?: ReactNode }

/** The person's access tokens. */
export function TokensSection({ onCreate, children }: Props) {
  const t = account.tokens
  const list = useQuery(tokensQuery)
  const revoke = useRevokeToken()
  const [revoking, setRevoking] = useState<Token>()
  const create = (
    <Button icon={Plus} onClick={onCreate}>
      {t.create}
    </Button>
  )
  const columns: Column<Token>[] = [
    { id: 'name', header: t.columns.name, width: 'minmax(160px,2fr)', cell: (k) => k.name },
    { id: 'scope', header: t.columns.scope, cell: (k) => [...(k.organizations ?? []), ...(k.projects ?? [])].join(', ') || t.all },
    {
      id: 'permissions',
      header: t.columns.permissions,
      cell: (k) =>
        k.permissions ? (
          <Tooltip text={k.permissions.join(', ')}>
            <span tabIndex={0}>{t.count(k.permissions.length)}</span>
          </Tooltip>
        ) : (
          t.everything
        ),
    },
    { id: 'used', header: t.columns.used, width: '120px', cell: (k) => <Time at={k.last_used_at} none={t.never} /> },
    { id: 'expires', header: t.columns.expires, width: '120px', cell: (k) => <Time at={k.expires_at} none={t.never} /> },
  ]
  return (
    <Section id="tokens" title={t.title} description={t.text} action={(list.data?.length ?? 0) > 0 && create}>
      {list.error ? (
        <ErrorState error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <Table
          label={t.label}
          columns={columns}
          rows={list.data}
          rowKey={(k) => k.id}
          maxHeight="480px"
          rowMenu={(k) => <Menu items={[{ label: t.revoke, icon: Trash2, danger: true, onSelect: () => setRevoking(k) }]} />}
          empty={
            <EmptyState icon={Ticket} title={t.empty.title} action={create}>
              {t.empty.text}
            </EmptyState>
          }
        />
      )}
      <ConfirmDialog
        open={revoking !== undefined}
        onOpenChange={() => setRevoking(undefined)}
        title={t.revokeTitle(revoking?.name ?? '')}
        action={t.revoke}
        onConfirm={async () => {
          await revoke.mutateAsync(revoking?.id ?? '')
          toast(t.revoked(revoking?.name ?? ''))
        }}
      >
        <p>{t.revokeText}</p>
      </ConfirmDialog>
      {children}
    </Section>
  )
}
