import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { signIn as t } from '@/strings/signin'
import { Button, buttonClass } from '@/components/button'
import { Notice } from '@/components/state'
import { captchaElsewhere, useCaptcha } from './captcha'
import { Explained } from './explained'
import { FactorNeeded, signInByPassword, type Config } from './platform'
import { SecondStep } from './secondstep'

type Props = { config: Config; email: string; onEmail: (email: string) => void; onDone: () => void; /** Whether another way in stands first. */ second?: boolean }

/** Address and password; where the captcha before them cannot be shown, the way to the page that does. */
export function SignInForm(p: Props) {
  if (!captchaElsewhere(p.config)) return <Form {...p} />
  return (
    <Notice
      action={
        <a href={`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`} className={buttonClass('secondary', 'small')}>
          {t.captcha.open}
        </a>
      }
    >
      {t.captcha.elsewhere}
    </Notice>
  )
}

/** It keeps what was typed when it is refused. */
function Form({ config, email, onEmail, onDone, second }: Props) {
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const captcha = useCaptcha(config, tried)
  const enter = useMutation({ mutationFn: () => signInByPassword(config, email.trim(), password, captcha.token), onSuccess: onDone, onError: captcha.renew, gcTime: 0 })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (/.@./.test(email) && password && captcha.ready) enter.mutate()
  }
  if (enter.error instanceof FactorNeeded) return <SecondStep config={config} tokens={enter.error.tokens} onDone={onDone} onOther={() => enter.reset()} />
  return (
    <form className="space-y-4" noValidate onSubmit={submit}>
      <Field label={t.email} error={tried && !/.@./.test(email) ? t.emailMissing : undefined}>
        {(f) => <Input {...f} type="email" name="email" autoComplete="username" value={email} onChange={(e) => onEmail(e.target.value)} maxLength={255} />}
      </Field>
      <Field label={t.password} error={tried && !password ? t.passwordMissing : undefined}>
        {(f) => <Input {...f} type="password" name="password" autoComplete="current-password" value={password} onChange={(e) => setPassword(e.target.value)} maxLength={1024} />}
      </Field>
      {captcha.field}
      {!!enter.error && <Explained error={enter.error} />}
      <Button kind={second ? 'secondary' : 'primary'} type="submit" busy={enter.isPending} className="w-full">
        {t.submit}
      </Button>
    </form>
  )
}
