import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Notice } from '@/components/state'
import { signIn } from '@/strings/signin'
import { useCaptcha } from './captcha'
import { Explained } from './explained'
import { enter, platform, refused, type Config } from './platform'

type Props = { config: Config; email: string; onEmail: (email: string) => void; onDone: () => void }

/** Makes an account. The answer is the same for an address that has one. */
export function SignUpForm({ config, email, onEmail, onDone }: Props) {
  const t = signIn.signUp
  const least = config.auth.passwords.min_length
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const captcha = useCaptcha(config, tried)
  const make = useMutation({
    gcTime: 0,
    mutationFn: async () => {
      const { data, error } = await (await platform(config)).signUp({ email: email.trim(), password, options: { emailRedirectTo: location.href, captchaToken: captcha.token } })
      if (error) throw refused(error)
      if (!data.session) return false
      await enter(data.session)
      return true
    },
    onSuccess: (entered) => entered && onDone(),
    onError: captcha.renew,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (/.@./.test(email) && password.length >= least && captcha.ready) make.mutate()
  }
  if (make.data === false) {
    return (
      <Notice>
        <p role="status">{t.sent(email.trim())}</p>
        <MailState config={config} />
      </Notice>
    )
  }
  return (
    <form className="space-y-4" noValidate onSubmit={submit}>
      <Field label={signIn.email} error={tried && !/.@./.test(email) ? signIn.emailMissing : undefined}>
        {(f) => <Input {...f} type="email" name="email" autoComplete="username" value={email} onChange={(e) => onEmail(e.target.value)} maxLength={255} />}
      </Field>
      <Field label={signIn.password} help={t.help(least)} error={tried && password.length < least ? t.short(least) : undefined}>
        {(f) => <Input {...f} type="password" name="password" autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} maxLength={72} />}
      </Field>
      {captcha.field}
      {make.error && <Explained error={make.error} />}
      <Button kind="primary" type="submit" busy={make.isPending} className="w-full">
        {t.submit}
      </Button>
    </form>
  )
}

/** What becomes of mails, where they do not arrive. */
export function MailState({ config }: { config: Config }) {
  if (config.mail === 'sent') return null
  return <p className="mt-1 text-sm text-text-2">{config.mail === 'captured' ? signIn.captured : signIn.unsent}</p>
}
