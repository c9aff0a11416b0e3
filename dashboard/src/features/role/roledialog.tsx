import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { common } from '@/strings/common'
import { team } from '@/strings/team'
import { PermissionList } from './permissionlist'
import { useSaveRole } from './roles'

type Props = { slug: string; all: Schema<'Permission'>[]; role?: Schema<'MemberRole'>; onClose: () => void }

const nameForm = /^[a-z][a-z0-9_-]{0,62}$/

/** Defines a role, or edits one of the organization's own. */
export function RoleDialog({ slug, all, role, onClose }: Props) {
  const t = team.roles
  const [name, setName] = useState(role?.name ?? '')
  const [description, setDescription] = useState(role?.description ?? '')
  const [chosen, setChosen] = useState(new Set(role?.permissions ?? []))
  const [tried, setTried] = useState(false)
  const save = useSaveRole(slug, role !== undefined)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameForm.test(name) || chosen.size === 0) return
    await save.mutateAsync({ name, description, permissions: [...chosen] })
    toast(t.saved(name))
    onClose()
  }
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={role ? t.edit(role.name) : t.create}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" type="submit" form="role" busy={save.isPending}>
            {t.save}
          </Button>
        </>
      }
    >
      <form id="role" className="space-y-4 pb-2" onSubmit={(e) => void submit(e).catch(() => {})}>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t.name} help={role ? undefined : t.nameHelp} error={tried && !nameForm.test(name) ? t.nameInvalid : undefined}>
            {(f) => <Input {...f} value={name} readOnly={role !== undefined} onChange={(e) => setName(e.target.value)} maxLength={63} autoComplete="off" spellCheck={false} />}
          </Field>
          <Field label={t.text}>{(f) => <Input {...f} value={description} onChange={(e) => setDescription(e.target.value)} maxLength={256} />}</Field>
        </div>
        <div className="space-y-2">
          <h3 className="font-medium">{t.permissions}</h3>
          <PermissionList all={all} chosen={chosen} onChange={setChosen} />
          {tried && chosen.size === 0 && (
            <p role="alert" className="text-sm text-danger">
              {t.none}
            </p>
          )}
        </div>
        {save.error && <ErrorNote error={save.error} />}
      </form>
    </Dialog>
  )
}
