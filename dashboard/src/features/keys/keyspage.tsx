import { useQuery } from '@tanstack/react-query'
import { KeyRound, Pencil, Plus, RefreshCw, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu } from '@/components/menu'
import { Page } from '@/components/page'
import { Badge, EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { formatRelative } from '@/lib/format'
import { common } from '@/strings/common'
import { keys as t } from '@/strings/keys'
import { useCreateKey } from './create'
import { KeyForm, type KeyDraft } from './keyform'
import { keyId, keysQuery, type Key } from './keys'
import { KeySheet } from './keysheet'
import { KeyTabs } from './keytabs'
import { LegacySection } from './legacysection'
import { MadeKey, type Made } from './made'
import { useDeleteKey } from './remove'
import { RotateDialog } from './rotatedialog'
import { useUpdateKey } from './update'
import { keyUsageQuery } from './usage'

type Props = { projectRef: string; open: string | undefined; onOpen: (id: string | undefined) => void }

/** The API keys of a project: who may reach it, and who does. */
export function KeysPage({ projectRef, open, onOpen }: Props) {
  const keys = useQuery(keysQuery(projectRef))
  const usage = useQuery(keyUsageQuery(projectRef))
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const [creating, setCreating] = useState(false)
  const [editing, setEditing] = useState<Key>()
  const [rotating, setRotating] = useState<Key>()
  const [deleting, setDeleting] = useState<Key>()
  const [made, setMade] = useState<Made>()
  const create = useCreateKey(projectRef)
  const update = useUpdateKey(projectRef, editing ? keyId(editing) : '')
  const remove = useDeleteKey(projectRef)

  if (keys.error) return <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />

  const use = (key: Key) => usage.data?.find((u) => u.id === keyId(key))
  const submit = async ({ type, ...rest }: KeyDraft) => {
    if (editing) return update.mutateAsync(rest)
    const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
    setMade({ key: await create.mutateAsync({ name: rest.name, type, ...known }) })
  }
  const mayWrite = may(permissions.data, 'api_key:write')
  const denied = permissions.data && !mayWrite ? common.notAllowed : undefined
  const lastUse = deleting && use(deleting)?.last_used_at
  const columns: Column<Key>[] = [
    { id: 'name', header: t.columns.name, width: 'minmax(150px,1.5fr)', cell: (k) => <Name of={k} /> },
    { id: 'type', header: t.columns.type, width: '116px', cell: (k) => t.types[k.type] },
    { id: 'key', header: t.columns.key, width: 'minmax(190px,2fr)', cell: (k) => (k.type === 'publishable' && k.api_key ? <Copyable text={k.api_key} /> : <span className="font-mono text-sm text-text-2">{k.prefix ? `${k.prefix}…` : 'eyJ…'}</span>) },
    { id: 'scopes', header: t.columns.scopes, width: '112px', cell: (k) => (k.scopes ? t.scopes(k.scopes.length) : k.type === 'publishable' || k.name === 'anon' ? t.asAnon : t.everything) },
    { id: 'networks', header: t.columns.networks, width: '108px', cell: (k) => (k.allowed_networks ? t.networks(k.allowed_networks.length) : t.anywhere) },
    { id: 'expires', header: t.columns.expires, width: '104px', cell: (k) => <Time at={k.expires_at} none={t.never} /> },
    { id: 'used', header: t.columns.used, width: '116px', cell: (k) => <Time at={use(k)?.last_used_at} none={usage.data ? t.neverUsed : '…'} /> },
  ]
  return (
    <Page
      title={t.title}
      description={t.description}
      wide
      action={
        <Button kind="primary" icon={Plus} disabled={!mayWrite} title={denied} onClick={() => setCreating(true)}>
          {t.create}
        </Button>
      }
    >
      <KeyTabs projectRef={projectRef} />
      <div className="mb-10">
        <Table
          label={t.table}
          columns={columns}
          rows={keys.data}
          rowKey={keyId}
          onOpen={(k) => onOpen(keyId(k))}
          rowMenu={(k) =>
            mayWrite && k.type !== 'legacy' && (
              <Menu
                label={`${t.menu.open}: ${k.name}`}
                items={[
                  ...(k.replaced_by ? [] : [{ label: t.menu.edit, icon: Pencil, onSelect: () => setEditing(k) }, { label: t.menu.rotate, icon: RefreshCw, onSelect: () => setRotating(k) }, 'separator' as const]),
                  { label: t.menu.delete, icon: Trash2, danger: true, onSelect: () => setDeleting(k) },
                ]}
              />
            )
          }
          empty={
            <EmptyState icon={KeyRound} title={t.empty.title} action={mayWrite && <Button icon={Plus} onClick={() => setCreating(true)}>{t.create}</Button>}>
              {t.empty.text}
            </EmptyState>
          }
        />
      </div>
      <LegacySection projectRef={projectRef} disabled={!mayWrite} />
      {open !== undefined && keys.data && (
        <KeySheet
          projectRef={projectRef}
          shown={keys.data.find((k) => keyId(k) === open) ?? null}
          use={usage.data?.find((u) => u.id === open)}
          onClose={() => onOpen(undefined)}
          readOnly={!mayWrite}
          onRotate={setRotating}
          onEdit={setEditing}
          onDelete={setDeleting}
        />
      )}
      <KeyForm open={creating || editing !== undefined} of={editing} onOpenChange={() => (setCreating(false), setEditing(undefined))} onSubmit={submit} />
      {rotating && <RotateDialog projectRef={projectRef} of={rotating} lastUsed={use(rotating)?.last_used_at} onClose={() => setRotating(undefined)} onMade={setMade} />}
      <ConfirmDialog
        open={deleting !== undefined}
        onOpenChange={() => setDeleting(undefined)}
        title={t.remove.title(deleting?.name ?? '')}
        action={t.remove.action}
        typed={deleting?.name ?? ''}
        onConfirm={async () => {
          if (!deleting) return
          await remove.mutateAsync(keyId(deleting))
          toast(t.remove.done(deleting.name))
          onOpen(undefined)
        }}
      >
        <p>{t.remove.text}</p>
        <p className="font-medium text-text">{lastUse ? t.remove.used(formatRelative(lastUse)) : t.remove.unused}</p>
      </ConfirmDialog>
      <MadeKey made={made} onDone={() => setMade(undefined)} />
    </Page>
  )
}

function Name({ of: key }: { of: Key }) {
  const left = key.expires_at ? Date.parse(key.expires_at) - Date.now() : Infinity
  return (
    <span className="flex min-w-0 items-center gap-2">
      <span className="truncate font-medium" title={key.description ?? key.name}>
        {key.name}
      </span>
      {left < 0 ? <Badge tone="danger">{t.expired}</Badge> : key.replaced_by ? <Badge tone="warn">{t.replaced}</Badge> : left < 7 * 86_400_000 && <Badge tone="warn">{t.soon}</Badge>}
    </span>
  )
}
