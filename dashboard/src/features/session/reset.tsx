import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { ErrorState } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Notice, Skeleton } from '@/components/state'
import { ApiError } from '@/lib/api/error'
import { signIn } from '@/strings/signin'
import { useCaptcha, useCaptchaDocument } from './captcha'
import { Explained } from './explained'
import { Frame } from './frame'
import { personQuery } from './person'
import { configQuery, enter, platform, refused, useLink, type Config } from './platform'
import { MailState } from './signupform'

/** Asks for the mail with which a password is reset, and is where its link leads. */
export function Reset() {
  const t = signIn.reset
  const config = useQuery(configQuery)
  const [link, setLink] = useLink()
  const elsewhere = useCaptchaDocument(config.data)
  if (config.error) return <ErrorState error={config.error} onRetry={() => void config.refetch()} />
  if (link?.tokens && config.data) return <NewPassword config={config.data} email={link.email} tokens={link.tokens} />
  return (
    <Frame title={t.title}>
      {link?.problem && <Explained error={new ApiError(400, link.problem, link.problem)} />}
      <p className="text-text-2">{t.text}</p>
      {config.data && !elsewhere ? <Ask config={config.data} onAsk={() => setLink(null)} /> : <Skeleton className="h-28 w-full" />}
      <Link to="/sign-in" className="text-sm text-accent hover:underline">
        {t.back}
      </Link>
    </Frame>
  )
}

/** Asks for the mail; the answer is the same for an address without an account. */
function Ask({ config, onAsk }: { config: Config; onAsk: () => void }) {
  const t = signIn.reset
  const [email, setEmail] = useState('')
  const [tried, setTried] = useState(false)
  const captcha = useCaptcha(config, tried)
  const send = useMutation({
    mutationFn: async (to: string) => {
      const { error } = await (await platform(config)).resetPasswordForEmail(to, { redirectTo: `${location.origin}/reset`, captchaToken: captcha.token })
      if (error) throw refused(error)
      return to
    },
    onSettled: captcha.renew,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onAsk()
    setTried(true)
    if (/.@./.test(email) && captcha.ready) send.mutate(email.trim(), { onSuccess: () => setTried(false) })
  }
  return (
    <>
      <form className="space-y-4" onSubmit={submit}>
        <Field label={signIn.email}>{(f) => <Input {...f} type="email" required autoComplete="username" value={email} onChange={(e) => setEmail(e.target.value)} maxLength={255} />}</Field>
        {captcha.field}
        {send.error && <Explained error={send.error} />}
        <Button kind="primary" type="submit" busy={send.isPending} className="w-full">
          {t.submit}
        </Button>
      </form>
      {send.data && (
        <Notice>
          <p role="status">{t.sent(send.data)}</p>
          <MailState config={config} />
        </Notice>
      )}
    </>
  )
}

function NewPassword({ config, email, tokens }: { config: Config; email: string; tokens: Parameters<typeof enter>[0] }) {
  const t = signIn.reset
  const least = config.auth.passwords.min_length
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const navigate = useNavigate()
  const queries = useQueryClient()
  const save = useMutation({
    gcTime: 0,
    mutationFn: async () => {
      const auth = await platform(config)
      const begun = await auth.setSession(tokens)
      if (begun.error) throw refused(begun.error)
      const changed = await auth.updateUser({ password })
      if (changed.error) throw refused(changed.error)
      const { data } = await auth.getSession()
      await enter(data.session ?? tokens)
    },
    onSuccess: () => {
      queries.removeQueries({ queryKey: personQuery.queryKey })
      return navigate({ to: '/' })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (password.length >= least) save.mutate()
  }
  return (
    <Frame title={t.newTitle}>
      <p className="break-words text-text-2">{t.newFor(email)}</p>
      <form className="space-y-4" onSubmit={submit}>
        <Field label={t.newPassword} help={signIn.signUp.help(least)} error={tried && password.length < least ? signIn.signUp.short(least) : undefined}>
          {(f) => <Input {...f} type="password" autoComplete="new-password" value={password} onChange={(e) => setPassword(e.target.value)} maxLength={72} />}
        </Field>
        {save.error && <Explained error={save.error} />}
        <Button kind="primary" type="submit" busy={save.isPending} className="w-full">
          {t.save}
        </Button>
      </form>
    </Frame>
  )
}
