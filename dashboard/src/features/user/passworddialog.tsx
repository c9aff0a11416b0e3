import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { user as t } from '@/strings/user'
import type { ActProps } from './actdialog'
import { useChangeUser } from './mutations'

/** Replaces a user's password. */
export function PasswordDialog({ user, projectRef, onClose }: ActProps) {
  const [password, setPassword] = useState('')
  const change = useChangeUser(projectRef, user.id)
  const p = t.password
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(
      { password },
      {
        onSuccess: () => {
          toast(p.done)
          onClose()
        },
      },
    )
  }
  return (
    <Dialog
      open
      onOpenChange={() => !change.isPending && onClose()}
      title={p.title}
      description={p.text}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" form="password" kind="primary" busy={change.isPending}>
            {p.submit}
          </Button>
        </>
      }
    >
      <form id="password" onSubmit={submit} className="space-y-3 pb-2">
        <Field label={p.field}>{(f) => <Input {...f} type="password" required maxLength={1000} value={password} onChange={(e) => setPassword(e.target.value)} autoComplete="new-password" autoFocus />}</Field>
        {change.error && <ErrorNote error={change.error} />}
      </form>
    </Dialog>
  )
}
