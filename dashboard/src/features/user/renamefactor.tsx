import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { common } from '@/strings/common'
import { user as t } from '@/strings/user'
import { useRenameFactor } from './mutations'

type Props = { projectRef: string; user: string; factor: Schema<'UserFactor'>; onClose: () => void }

/** Gives a second factor another name, which its user sees too. */
export function RenameFactor({ projectRef, user, factor, onClose }: Props) {
  const [name, setName] = useState(factor.friendly_name)
  const rename = useRenameFactor(projectRef, user)
  const f = t.factors
  const submit = (event: FormEvent) => {
    event.preventDefault()
    rename.mutate(
      { id: factor.id, name: name.trim() },
      {
        onSuccess: () => {
          toast(f.renamed)
          onClose()
        },
      },
    )
  }
  return (
    <Dialog
      open
      onOpenChange={() => !rename.isPending && onClose()}
      title={f.rename}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" form="rename-factor" kind="primary" busy={rename.isPending} disabled={name.trim() === '' || name.trim() === factor.friendly_name}>
            {f.rename}
          </Button>
        </>
      }
    >
      <form id="rename-factor" onSubmit={submit} className="space-y-3 pb-2">
        <Field label={f.name} help={f.nameHelp}>
          {(field) => <Input {...field} dir="auto" maxLength={255} value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" autoFocus />}
        </Field>
        {rename.error && <ErrorNote error={rename.error} />}
      </form>
    </Dialog>
  )
}
