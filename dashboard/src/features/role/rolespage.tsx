import { useQuery } from '@tanstack/react-query'
import { Check, Pencil, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Menu } from '@/components/menu'
import { Badge, Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { common } from '@/strings/common'
import { team } from '@/strings/team'
import { RoleDialog } from './roledialog'
import { rolesQuery, useDeleteRole } from './roles'

type Props = { slug: string; mayWrite: boolean; all: Schema<'Permission'>[] }

/** The roles of an organization, as a table of permissions by role. */
export function Roles({ slug, mayWrite, all }: Props) {
  const t = team.roles
  const roles = useQuery(rolesQuery(slug))
  const [editing, edit] = useState<Schema<'MemberRole'> | 'new'>()
  const [deleting, setDeleting] = useState<string>()
  const remove = useDeleteRole(slug)
  if (roles.error) return <ErrorState error={roles.error} onRetry={() => void roles.refetch()} />
  if (!roles.data) return <Skeleton className="h-96 w-full" />
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <p className="text-text-2">{t.description}</p>
        {mayWrite && (
          <Button icon={Plus} onClick={() => edit('new')}>
            {t.create}
          </Button>
        )}
      </div>
      <div className="relative overflow-auto rounded border border-line bg-surface" tabIndex={0} role="region" aria-label={t.table}>
        <table className="w-full min-w-max border-collapse lg:min-w-full">
          <caption className="sr-only">{t.table}</caption>
          <thead>
            <tr className="border-b border-line align-bottom">
              <th scope="col" className="sticky left-0 bg-surface px-3 py-2 text-left text-sm font-normal text-text-2">
                {t.permission}
              </th>
              {roles.data.map((r) => (
                <th key={r.name} scope="col" title={r.description} className="w-24 max-w-40 px-2 py-2 text-center text-sm font-medium">
                  <span className="flex flex-col items-center gap-1">
                    <span className="max-w-36 truncate">{r.name}</span>
                    {r.built_in ? (
                      <Badge>{t.builtIn}</Badge>
                    ) : mayWrite ? (
                      <Menu
                        label={`${common.more}: ${r.name}`}
                        items={[
                          { label: common.edit, icon: Pencil, onSelect: () => edit(r) },
                          { label: common.delete, icon: Trash2, danger: true, onSelect: () => setDeleting(r.name) },
                        ]}
                      />
                    ) : (
                      <Badge tone="info">{t.own}</Badge>
                    )}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map((permission) => (
              <tr key={permission.name} className="border-b border-line last:border-0">
                <th scope="row" className="sticky left-0 bg-surface px-3 py-1.5 text-left font-normal">
                  <span className="block font-mono text-sm">{permission.name}</span>
                  <span className="hidden max-w-prose text-sm text-text-2 lg:block">{permission.description}</span>
                </th>
                {roles.data.map((r) => {
                  const allowed = r.permissions?.includes(permission.name)
                  return (
                    <td key={r.name} className="px-2 text-center">
                      {allowed ? <Check className="mx-auto size-4 text-accent" strokeWidth={2} aria-hidden /> : null}
                      <span className="sr-only">{allowed ? t.allowed : t.notAllowed}</span>
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {editing && <RoleDialog slug={slug} all={all} role={editing === 'new' ? undefined : editing} onClose={() => edit(undefined)} />}
      <ConfirmDialog
        open={deleting !== undefined}
        onOpenChange={() => setDeleting(undefined)}
        title={t.deleteTitle(deleting ?? '')}
        action={common.delete}
        onConfirm={async () => {
          await remove.mutateAsync(deleting ?? '')
          toast(t.deleted(deleting ?? ''))
        }}
      >
        <p>{t.deleteText}</p>
      </ConfirmDialog>
    </>
  )
}
