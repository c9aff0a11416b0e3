import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Section } from '@/components/page'
import { toast } from '@/components/toast'
import { ApiError } from '@/lib/api/error'
import { account } from '@/strings/account'
import { signIn } from '@/strings/signin'
import { configQuery } from '@/features/session/platform'
import { useChangePassword, useReauthenticate } from './profile'

/** A new password; the current one and a mailed code where the installation asks for them. */
export function PasswordSection() {
  const t = account.password
  const rules = useQuery(configQuery).data?.auth.passwords
  const least = rules?.min_length ?? 6
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [nonce, setNonce] = useState('')
  const [tried, setTried] = useState(false)
  const change = useChangePassword()
  const mail = useReauthenticate()
  const asked = change.error instanceof ApiError && /reauth/.test(change.error.code)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (next.length < least) return
    change.mutate(
      { password: next, ...(current && { current_password: current }), ...(nonce && { nonce }) },
      {
        onSuccess: () => {
          setCurrent('')
          setNext('')
          setNonce('')
          setTried(false)
          toast(t.saved)
        },
      },
    )
  }
  return (
    <Section id="password" title={t.title} description={t.text}>
      <form className="max-w-md space-y-3" onSubmit={submit}>
        {rules?.current_required && (
          <Field label={t.current}>{(f) => <Input {...f} type="password" autoComplete="current-password" value={current} onChange={(e) => setCurrent(e.target.value)} maxLength={72} />}</Field>
        )}
        <Field label={t.next} help={signIn.signUp.help(least)} error={tried && next.length < least ? signIn.signUp.short(least) : undefined}>
          {(f) => <Input {...f} type="password" autoComplete="new-password" value={next} onChange={(e) => setNext(e.target.value)} maxLength={72} />}
        </Field>
        {(asked || mail.isSuccess) && (
          <Field label={t.nonce} help={mail.isSuccess ? t.nonceSent : t.nonceHelp}>
            {(f) => <Input {...f} autoComplete="one-time-code" value={nonce} onChange={(e) => setNonce(e.target.value)} maxLength={128} />}
          </Field>
        )}
        {change.error && <ErrorNote error={change.error} />}
        {mail.error && <ErrorNote error={mail.error} />}
        <div className="flex gap-2">
          <Button type="submit" busy={change.isPending} disabled={!next}>
            {t.save}
          </Button>
          {asked && (
            <Button busy={mail.isPending} onClick={() => mail.mutate()}>
              {t.sendNonce}
            </Button>
          )}
        </div>
      </form>
    </Section>
  )
}
