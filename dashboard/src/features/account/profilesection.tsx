import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ErrorNote, ErrorState } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Section } from '@/components/page'
import { Notice, Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import { account } from '@/strings/account'
import { profileQuery, useChangeEmail, useRename } from './profile'

/** Name and address. */
export function ProfileSection() {
  const t = account.profile
  const profile = useQuery(profileQuery)
  const [name, setName] = useState<string>()
  const [email, setEmail] = useState('')
  const rename = useRename()
  const change = useChangeEmail()
  if (profile.error) return <ErrorState error={profile.error} onRetry={() => void profile.refetch()} />
  const p = profile.data
  if (!p) return <Section title={t.title}><Skeleton className="h-40 w-full max-w-md" /></Section>
  const saveName = (event: FormEvent) => {
    event.preventDefault()
    rename.mutate((name ?? p.name).trim(), {
      onSuccess: () => {
        setName(undefined)
        toast(t.saved)
      },
    })
  }
  const changeEmail = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(email.trim())
  }
  return (
    <Section id="profile" title={t.title}>
      <div className="max-w-md space-y-6">
        <form className="space-y-3" onSubmit={saveName}>
          <Field label={t.name} help={t.nameHelp}>
            {(f) => <Input {...f} value={name ?? p.name} onChange={(e) => setName(e.target.value)} maxLength={256} autoComplete="name" dir="auto" />}
          </Field>
          {rename.error && <ErrorNote error={rename.error} />}
          <Button type="submit" busy={rename.isPending} disabled={name === undefined || name.trim() === p.name}>
            {t.save}
          </Button>
        </form>
        <form className="space-y-3" onSubmit={changeEmail}>
          <div>
            <p className="font-medium">{t.email}</p>
            <p className="break-words text-text-2">{p.primary_email}</p>
          </div>
          <Field label={t.newEmail} help={t.emailHelp}>
            {(f) => <Input {...f} type="email" value={email} onChange={(e) => setEmail(e.target.value)} maxLength={255} autoComplete="off" />}
          </Field>
          {change.error && <ErrorNote error={change.error} />}
          {change.isSuccess && (
            <Notice>
              <span role="status">{t.sent(change.variables)}</span>
            </Notice>
          )}
          <Button type="submit" busy={change.isPending} disabled={!/.@./.test(email)}>
            {t.change}
          </Button>
        </form>
        <p className="text-sm text-text-2">
          {t.id} <Copyable text={p.gotrue_id} />
        </p>
      </div>
    </Section>
  )
}
