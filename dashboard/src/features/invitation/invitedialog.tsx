import { useState, type FormEvent, type ReactNode } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input, Select } from '@/components/input'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { team } from '@/strings/team'
import { useInvite } from './invitations'

type Props = {
  slug: string
  projects: { ref: string; name: string }[]
  /** The choice of a role. */
  roleChoice: (role: string, onChange: (role: string) => void) => ReactNode
  onClose: () => void
}

/** Invites an address, to the organization or to one project. */
export function InviteDialog({ slug, projects, roleChoice, onClose }: Props) {
  const t = team.inviteDialog
  const [email, setEmail] = useState('')
  const [role, setRole] = useState('developer')
  const [ref, setRef] = useState('')
  const [tried, setTried] = useState(false)
  const invite = useInvite(slug)
  const valid = /^\S+@\S+\.\S+$/.test(email.trim())
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!valid) return
    await invite.mutateAsync({ email: email.trim(), role, ...(ref && { ref }) })
    toast(t.done(email.trim()))
    onClose()
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.title}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" type="submit" form="invite" busy={invite.isPending}>
            {t.submit}
          </Button>
        </>
      }
    >
      <form id="invite" noValidate className="space-y-4 pb-2" onSubmit={(e) => void submit(e).catch(() => {})}>
        <Field label={t.email} error={tried && !valid ? t.invalid : undefined}>
          {(f) => <Input {...f} type="email" value={email} onChange={(e) => setEmail(e.target.value)} maxLength={255} autoFocus />}
        </Field>
        <Field label={t.project}>
          {(f) => (
            <Select {...f} value={ref} onChange={(e) => setRef(e.target.value)}>
              <option value="">{t.all}</option>
              {projects.map((p) => (
                <option key={p.ref} value={p.ref}>
                  {p.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {roleChoice(role, setRole)}
        {invite.error && <ErrorNote error={invite.error} />}
      </form>
    </Dialog>
  )
}
