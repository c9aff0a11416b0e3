import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ExternalLink } from 'lucide-react'
import { useState, type FormEvent, type ReactNode } from 'react'
import { Button, buttonClass } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Card } from '@/components/page'
import { Skeleton, Status } from '@/components/state'
import { formatNumber } from '@/lib/format'
import { firstMinute } from '@/strings/firstminute'
import { arrivedQuery, rowQuery, useSignUp, type SignedUp } from './signup'
import type { Connection } from './snippet'

const someone = () => `ada.${Math.floor(Math.random() * 9000) + 1000}@example.com`

/** A form that signs a user up, the mail that it causes, and the row that it writes. */
export function TryIt({ connection }: { connection: Connection }) {
  const t = firstMinute.tryIt
  const [email, setEmail] = useState(someone)
  const [password, setPassword] = useState('correct horse battery staple')
  const signUp = useSignUp(connection)
  const done = signUp.data
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signUp.mutate({ email: email.trim().toLowerCase(), password })
  }
  return (
    <div className="grid items-start gap-4 lg:grid-cols-3">
      <Card className="p-4">
        <form className="space-y-4" onSubmit={submit}>
          <Field label={t.email}>{(f) => <Input {...f} type="email" required value={email} onChange={(e) => setEmail(e.target.value)} autoComplete="off" />}</Field>
          <Field label={t.password}>{(f) => <Input {...f} required value={password} onChange={(e) => setPassword(e.target.value)} autoComplete="off" spellCheck={false} />}</Field>
          {signUp.error && <ErrorNote error={signUp.error} />}
          <div className="flex flex-wrap items-center gap-3">
            <Button kind={done ? 'secondary' : 'primary'} type="submit" busy={signUp.isPending} disabled={!connection.key || done?.email === email}>
              {t.submit}
            </Button>
            {done && (
              <Button
                kind="quiet"
                onClick={() => {
                  signUp.reset()
                  setEmail(someone())
                }}
              >
                {t.again}
              </Button>
            )}
          </div>
          {done && (
            <p role="status" className="text-sm text-text-2">
              {t.took(formatNumber(Math.round(done.took)))}
            </p>
          )}
        </form>
      </Card>
      <Mail projectRef={connection.ref} of={done} />
      <Row projectRef={connection.ref} of={done} />
    </div>
  )
}

function Pane({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card className="min-w-0 p-4">
      <h3 className="mb-2 font-medium">{title}</h3>
      {children}
    </Card>
  )
}

type Outcome = { projectRef: string; of?: SignedUp }

function Mail({ projectRef: ref, of }: Outcome) {
  const t = firstMinute.mail
  const arrived = useQuery({ ...arrivedQuery(ref, of?.email ?? ''), enabled: of !== undefined && !of.confirmed })
  const m = arrived.data
  const link = m?.links?.find((l) => /^https?:/i.test(l))
  if (!of) return <Pane title={t.title}><p className="text-text-2">{t.before}</p></Pane>
  if (of.confirmed) return <Pane title={t.title}><p className="text-text-2">{t.none}</p></Pane>
  if (arrived.error) return <Pane title={t.title}><ErrorNote error={arrived.error} /></Pane>
  if (!m) return <Pane title={t.title}><p role="status" className="text-text-2">{arrived.isPending || of.at > new Date(Date.now() - 8000).toISOString() ? t.waiting : t.slow}</p></Pane>
  return (
    <Pane title={t.title}>
      <p className="mb-2 break-words text-text-2">{m.subject}</p>
      <iframe title={t.frame} sandbox="" srcDoc={m.html} className="block h-72 w-full rounded border border-line bg-[#fff]" />
      <div className="mt-3 flex flex-wrap items-center gap-3">
        {link && (
          <a href={link} target="_blank" rel="noreferrer" className={buttonClass('primary')}>
            <ExternalLink className="size-4" strokeWidth={1.5} aria-hidden />
            {t.open}
          </a>
        )}
        <Link to="/p/$ref/inbox" params={{ ref }} search={{ message: m.id }} className="text-accent hover:underline">
          {t.all}
        </Link>
      </div>
    </Pane>
  )
}

function Row({ projectRef: ref, of }: Outcome) {
  const t = firstMinute.row
  const row = useQuery({ ...rowQuery(ref, of?.id ?? ''), enabled: of !== undefined })
  if (!of) return <Pane title={t.title}><p className="text-text-2">{t.before}</p></Pane>
  if (row.error) return <Pane title={t.title}><ErrorNote error={row.error} /></Pane>
  const u = row.data
  if (!u) return <Pane title={t.title}><Skeleton className="h-48 w-full" /></Pane>
  const { id, email, email_confirmed_at, created_at, last_sign_in_at, role, app_metadata, user_metadata } = u
  return (
    <Pane title={t.title}>
      <p className="mb-2">
        <Status tone={email_confirmed_at ? 'ok' : 'warn'}>{email_confirmed_at ? t.confirmed : t.unconfirmed}</Status>
      </p>
      <pre tabIndex={0} className="max-h-72 overflow-auto rounded border border-line bg-sunken p-3 font-mono text-xs leading-5">
        {JSON.stringify({ id, email, email_confirmed_at, created_at, last_sign_in_at, role, app_metadata, user_metadata }, null, 2)}
      </pre>
      <Link to="/p/$ref/users/$id" params={{ ref, id }} className="mt-3 inline-block text-accent hover:underline">
        {t.user}
      </Link>
    </Pane>
  )
}
