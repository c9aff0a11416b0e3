import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { users as t } from '@/strings/users'
import { useInvite } from './mutations'

/** Creates a user, who gets a mail. */
export function InviteDialog({ projectRef, open, onClose }: { projectRef: string; open: boolean; onClose: () => void }) {
  const [email, setEmail] = useState('')
  const [redirect, setRedirect] = useState('')
  const invite = useInvite(projectRef)
  const i = t.inviting
  const submit = (event: FormEvent) => {
    event.preventDefault()
    invite.mutate(
      { email: email.trim(), ...(redirect.trim() && { redirect_to: redirect.trim() }) },
      {
        onSuccess: () => {
          toast(i.done(email.trim()))
          setEmail('')
          onClose()
        },
      },
    )
  }
  return (
    <Dialog
      open={open}
      onOpenChange={() => !invite.isPending && onClose()}
      title={i.title}
      description={i.text}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" form="invite" kind="primary" busy={invite.isPending}>
            {i.submit}
          </Button>
        </>
      }
    >
      <form id="invite" onSubmit={submit} className="space-y-4 pb-2">
        <Field label={i.email}>{(f) => <Input {...f} type="email" required maxLength={255} value={email} onChange={(e) => setEmail(e.target.value)} autoComplete="off" autoFocus />}</Field>
        <Field label={i.redirect} help={i.redirectHelp}>
          {(f) => <Input {...f} type="text" inputMode="url" maxLength={2000} placeholder="https://app.example.com/welcome" value={redirect} onChange={(e) => setRedirect(e.target.value)} autoComplete="off" />}
        </Field>
        {invite.error && <ErrorNote error={invite.error} />}
      </form>
    </Dialog>
  )
}
