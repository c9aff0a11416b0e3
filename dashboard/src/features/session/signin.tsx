import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useRouter } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { Button } from '@/components/button'
import { ErrorState } from '@/components/error'
import { Notice, Skeleton } from '@/components/state'
import { signIn as t } from '@/strings/signin'
import { DevLink } from './devlink'
import { asksCaptcha, goOn, Solve, useCaptchaDocument } from './captcha'
import { Explained } from './explained'
import { Frame } from './frame'
import { personQuery } from './person'
import { configQuery, enter, enterByCode, FactorNeeded, platform, providersOf, refused, signInByPasskey, useLink, type Config, type Tokens } from './platform'
import { SecondStepPage } from './secondstep'
import { SignInForm } from './signinform'
import { MailState, SignUpForm } from './signupform'
import { ApiError } from '@/lib/api/error'
import { passkeysWork } from '@/lib/passkey'

/** Where there are providers alone: their names and marks are no part of the first load. */
const ProviderButtons = lazy(() => import('./providerbuttons').then((m) => ({ default: m.ProviderButtons })))

type Props = { next?: string; signUp: boolean }

/** The sign-in page. */
export function SignIn({ next, signUp }: Props) {
  const config = useQuery(configQuery)
  const [link, setLink] = useLink()
  const [email, setEmail] = useState('')
  const [owing, setOwing] = useState<Tokens>()
  const failed = (error: unknown) => error instanceof FactorNeeded && setOwing(error.tokens)
  const queries = useQueryClient()
  const router = useRouter()
  const done = () => {
    queries.removeQueries({ queryKey: personQuery.queryKey })
    goOn(config.data, next ?? '/', (to) => router.history.push(to))
  }
  const elsewhere = useCaptchaDocument(config.data)
  if (config.error) return <ErrorState error={config.error} onRetry={() => void config.refetch()} />
  if (owing && config.data) return <SecondStepPage config={config.data} tokens={owing} onDone={done} onOther={() => setOwing(undefined)} />
  if (link?.code && config.data) return <ByCode config={config.data} code={link.code} onDone={done} onFailed={(problem, error) => (setLink({ email: '', problem }), failed(error))} />
  if (link?.tokens) return <Linked email={link.email} tokens={link.tokens} onDone={done} onFailed={failed} onOther={() => setLink(null)} />
  const c = elsewhere ? undefined : config.data
  const opened = signUp && c?.auth.sign_up
  return (
    <Frame title={opened ? t.signUp.title : t.title}>
      {link?.problem && <Explained error={new ApiError(400, link.problem, link.problem)} />}
      {c?.dev && !opened && <DevLink />}
      {c && providersOf(c).length > 0 && (
        <Suspense fallback={<Skeleton className="h-8 w-full" />}>
          <ProviderButtons config={c} next={next} />
        </Suspense>
      )}
      {!c ? <Skeleton className="h-40 w-full" /> : opened ? <SignUpForm config={c} email={email} onEmail={setEmail} onDone={done} /> : c.auth.methods.email && <SignInForm config={c} email={email} onEmail={setEmail} onDone={done} second={c.dev} />}
      {c?.auth.methods.passkeys && !asksCaptcha(c) && !opened && passkeysWork() && <ByPasskey config={c} onDone={done} onFailed={failed} />}
      {c && (
        <div className="flex flex-wrap justify-between gap-x-4 gap-y-2 text-sm [&_a]:text-accent [&_a]:hover:underline">
          {!opened && <Link to="/reset">{t.forgot}</Link>}
          {c.auth.sign_up && (
            <Link to="/sign-in" search={{ next, ...(!opened && { mode: 'sign-up' as const }) }}>
              {opened ? t.toSignIn : t.toSignUp}
            </Link>
          )}
        </div>
      )}
      {c && !opened && c.mail !== 'unsent' && /.@./.test(email) && <MagicLink config={c} email={email.trim()} />}
    </Frame>
  )
}

/** A provider's sign-in came back with a code, which this tab began: it is exchanged at once, and once. */
function ByCode({ config, code, onDone, onFailed }: { config: Config; code: string; onDone: () => void; onFailed: (problem: string, error: unknown) => void }) {
  const begun = useRef(false)
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    enterByCode(config, code).then(onDone, (error: unknown) => onFailed(error instanceof FactorNeeded ? '' : error instanceof ApiError ? error.code : 'unexpected_failure', error))
  })
  return (
    <Frame title={t.title}>
      <p role="status" className="text-text-2">
        {t.finishing}
      </p>
      <Skeleton className="h-40 w-full" />
    </Frame>
  )
}

/** A mailed link was opened: says whose it is before it signs in. */
function Linked({ email, tokens, onDone, onFailed, onOther }: { email: string; tokens: Tokens; onDone: () => void; onFailed: (error: unknown) => void; onOther: () => void }) {
  const go = useMutation({ mutationFn: () => enter(tokens), onSuccess: onDone, onError: onFailed, gcTime: 0 })
  return (
    <Frame title={t.link.title}>
      <p className="break-words text-text-2">{t.link.text(email)}</p>
      {!!go.error && <Explained error={go.error} />}
      <div className="flex gap-2">
        <Button kind="primary" busy={go.isPending} onClick={() => go.mutate()}>
          {t.link.submit}
        </Button>
        <Button onClick={onOther}>{t.link.other}</Button>
      </div>
    </Frame>
  )
}

/** The passkey of this device, in place of a password. */
function ByPasskey({ config, onDone, onFailed }: { config: Config; onDone: () => void; onFailed: (error: unknown) => void }) {
  const go = useMutation({ mutationFn: () => signInByPasskey(config), onSuccess: onDone, onError: onFailed, gcTime: 0 })
  return (
    <div className="space-y-2">
      <Button className="w-full" busy={go.isPending} onClick={() => go.mutate()}>
        {t.passkey}
      </Button>
      {!!go.error && !(go.error instanceof DOMException) && <Explained error={go.error} />}
    </div>
  )
}

function MagicLink({ config, email }: { config: Config; email: string }) {
  const [solving, setSolving] = useState(false)
  const send = useMutation({
    mutationFn: async ({ to, captchaToken }: { to: string; captchaToken?: string }) => {
      const { error } = await (await platform(config)).signInWithOtp({ email: to, options: { shouldCreateUser: false, emailRedirectTo: location.href, captchaToken } })
      // Whether the address has an account is told to nobody.
      if (error && !['otp_disabled', 'user_not_found', 'signup_disabled'].includes(error.code ?? '')) throw refused(error)
      return to
    },
    onSettled: () => setSolving(false),
  })
  return (
    <div className="space-y-2">
      {solving && <Solve config={config} onSolved={(captchaToken) => send.mutate({ to: email, captchaToken })} />}
      <Button className="w-full" busy={send.isPending} onClick={() => (asksCaptcha(config) ? setSolving(true) : send.mutate({ to: email }))}>
        {t.magic}
      </Button>
      {send.error && <Explained error={send.error} />}
      {send.data && (
        <Notice>
          <p role="status">{t.magicSent(send.data)}</p>
          <MailState config={config} />
        </Notice>
      )}
    </div>
  )
}
