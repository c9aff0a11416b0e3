import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { SecretField } from '@/components/copy'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input, Select } from '@/components/input'
import { common } from '@/strings/common'
import { user as t } from '@/strings/user'
import type { ActProps } from './actdialog'
import { useLink } from './mutations'

type Kind = keyof typeof t.link.kinds

/** Makes a link that signs in as a user, and shows it once. */
export function LinkDialog({ user, projectRef, onClose }: ActProps) {
  const kinds: Kind[] = user.email_confirmed_at ? ['magiclink', 'recovery'] : ['magiclink', 'recovery', 'invite']
  const [kind, setKind] = useState<Kind>('magiclink')
  const [redirect, setRedirect] = useState('')
  const link = useLink(projectRef, user.id)
  const l = t.link
  const submit = (event: FormEvent) => {
    event.preventDefault()
    link.mutate({ type: kind, ...(redirect.trim() && { redirect_to: redirect.trim() }) })
  }
  if (link.data)
    return (
      <Dialog open onOpenChange={onClose} title={l.title} description={l.made} footer={<Button kind="primary" onClick={onClose}>{l.close}</Button>}>
        <dl className="space-y-3 pb-2">
          <div className="space-y-1">
            <dt className="font-medium">{l.url}</dt>
            <dd>
              <SecretField label={l.url} value={link.data.action_link} hint={`${link.data.action_link.slice(0, 40)}…`} />
            </dd>
          </div>
          <div className="space-y-1">
            <dt className="font-medium">{l.code}</dt>
            <dd>
              <SecretField label={l.code} value={link.data.email_otp} hint="••••••" />
            </dd>
          </div>
        </dl>
      </Dialog>
    )
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={l.title}
      description={l.text}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" form="link" kind="primary" busy={link.isPending}>
            {l.submit}
          </Button>
        </>
      }
    >
      <form id="link" onSubmit={submit} className="space-y-4 pb-2">
        <Field label={l.kind}>
          {(f) => (
            <Select {...f} value={kind} onChange={(e) => setKind(kinds.find((k) => k === e.target.value) ?? 'magiclink')}>
              {kinds.map((k) => (
                <option key={k} value={k}>
                  {l.kinds[k]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={l.redirect} help={l.redirectHelp}>
          {(f) => <Input {...f} inputMode="url" maxLength={2000} value={redirect} onChange={(e) => setRedirect(e.target.value)} autoComplete="off" />}
        </Field>
        {link.error && <ErrorNote error={link.error} />}
      </form>
    </Dialog>
  )
}
