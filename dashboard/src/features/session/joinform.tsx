import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { signIn } from '@/strings/signin'
import { Explained } from './explained'
import { useJoin } from './invitation'
import type { Config } from './platform'

type Place = { organization_slug: string; ref?: string }

/** Makes an account for the invited address, which the mailed link has proved. */
export function JoinForm({ token, config, onJoined }: { token: string; config: Config; onJoined: (place: Place) => void }) {
  const t = signIn.invite
  const least = config.auth.passwords.min_length
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const join = useJoin(token)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (password.length >= least) join.mutate({ name: name.trim(), password }, { onSuccess: ({ accepted }) => onJoined(accepted) })
  }
  return (
    <form className="space-y-4" noValidate onSubmit={submit}>
      <Field label={t.name}>{(f) => <Input {...f} autoComplete="name" value={name} onChange={(e) => setName(e.target.value)} maxLength={256} dir="auto" />}</Field>
      <Field label={signIn.password} help={signIn.signUp.help(least)} error={tried && password.length < least ? signIn.signUp.short(least) : undefined}>
        {(f) => <Input {...f} type="password" autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} maxLength={72} />}
      </Field>
      {join.error && <Explained error={join.error} />}
      <Button kind="primary" type="submit" busy={join.isPending} className="w-full">
        {t.make}
      </Button>
    </form>
  )
}
