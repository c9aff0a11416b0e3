import { useQuery } from '@tanstack/react-query'
import { Check, Unlink } from 'lucide-react'
import { useState } from 'react'
import { ErrorState } from '@/components/error'
import { Card } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { Time } from '@/components/time'
import { asApiError } from '@/lib/api/error'
import { cx } from '@/lib/cx'
import { setupLink } from '@/strings/setuplink'
import { CertificateStep } from './certificatestep'
import { DomainStep } from './domainstep'
import { FieldsStep } from './fieldsstep'
import { IdpStep } from './idpstep'
import { LiveStep } from './livestep'
import { ConnectStep } from './metadatastep'
import { ScimStep } from './scimstep'
import { setupQuery, takeToken, type Link, type SetupState } from './setuplink'
import { firstOpen, stepsOf, type StepId } from './steps'
import { TryStep } from './trystep'

export type Protocol = 'saml' | 'oidc'
export type StepProps = { link: Link; state: SetupState; protocol: Protocol; onProtocol: (protocol: Protocol, step?: StepId) => void; onNext: () => void; onStep: (step: StepId) => void }

const pages: Record<StepId, (props: StepProps) => React.ReactNode> = {
  idp: IdpStep,
  fields: FieldsStep,
  metadata: ConnectStep,
  certificate: CertificateStep,
  domain: DomainStep,
  try: TryStep,
  live: LiveStep,
  scim: ScimStep,
}

/** The page of a setup link, for a company's administrator, who has no account. */
export function SetupPage({ ref_, step, protocol: wanted, onSearch }: { ref_: string; step?: StepId; protocol?: Protocol; onSearch: (search: { step?: StepId; protocol?: Protocol }) => void }) {
  const [token] = useState(() => takeToken(ref_))
  const link = { ref: ref_, token }
  const query = useQuery(setupQuery(link))
  const t = setupLink
  if (token === '' || (query.error && asApiError(query.error).status === 404 && !query.data)) {
    return (
      <main className="mx-auto flex min-h-dvh max-w-xl flex-col justify-center px-4">
        <EmptyState icon={Unlink} title={t.invalidTitle}>
          <p>{t.invalid}</p>
          <p>{t.incomplete}</p>
        </EmptyState>
      </main>
    )
  }
  if (query.error && !query.data) {
    return (
      <main className="min-h-dvh py-12">
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      </main>
    )
  }
  if (!query.data) {
    return (
      <main className="mx-auto max-w-5xl space-y-4 px-4 py-10" aria-busy>
        <Skeleton className="h-7 w-2/3" />
        <Skeleton className="h-4 w-full" />
        <Skeleton className="h-64 w-full" />
      </main>
    )
  }
  const state = query.data
  const steps = stepsOf(state)
  const at = steps.find((s) => s.id === step)?.id ?? firstOpen(state)
  const onStep = (step: StepId) => onSearch({ step, protocol: wanted })
  const allowed = state.protocols ?? []
  const protocol = wanted && allowed.includes(wanted) ? wanted : (state.connection?.type ?? allowed[0] ?? 'saml')
  const n = steps.findIndex((s) => s.id === at)
  const Current = pages[at]
  const sso = (state.intents ?? []).includes('sso')
  return (
    <main className="mx-auto max-w-5xl px-4 py-8 sm:py-12">
      <header className="mb-8 max-w-3xl space-y-2">
        <p className="font-medium break-words text-text-2">
          <bdi>{state.project}</bdi>
        </p>
        <h1 className="text-xl font-semibold break-words">{sso ? t.title(state.company) : t.titleOther(state.company)}</h1>
        <p className="break-words text-text-2">{sso ? t.intro(state.project) : t.introOther(state.project)}</p>
        <p className="text-sm text-text-2">
          {t.until} <Time at={state.expires_at} />. {t.reload}
        </p>
      </header>
      <div className="grid gap-6 md:grid-cols-[13rem_minmax(0,1fr)]">
        <nav aria-label={t.stepsLabel}>
          <ol className="flex flex-wrap gap-1 md:flex-col">
            {steps.map((s, i) => (
              <li key={s.id}>
                <button
                  type="button"
                  aria-current={s.id === at ? 'step' : undefined}
                  onClick={() => onStep(s.id)}
                  className={cx('flex w-full items-center gap-2 rounded px-2 py-1.5 text-left', s.id === at ? 'bg-accent-soft font-medium' : 'text-text-2 hover:bg-sunken hover:text-text')}
                >
                  <span className={cx('flex size-5 shrink-0 items-center justify-center rounded-full border text-xs', s.done ? 'border-ok bg-ok-soft text-ok' : 'border-line-strong')}>
                    {s.done ? <Check className="size-3" strokeWidth={2.5} aria-hidden /> : i + 1}
                  </span>
                  {s.id === 'metadata' && protocol === 'oidc' ? t.oidc.step : t.steps[s.id]}
                  {s.done && <span className="sr-only">, {t.stepDone}</span>}
                </button>
              </li>
            ))}
          </ol>
        </nav>
        <Card className="min-w-0 p-4 sm:p-6">
          <p className="mb-1 text-sm text-text-2">{t.stepOf(n + 1, steps.length)}</p>
          <Current key={at} link={link} state={state} protocol={protocol} onProtocol={(protocol, step = at) => onSearch({ step, protocol })} onStep={onStep} onNext={() => onStep(steps[n + 1]?.id ?? at)} />
        </Card>
      </div>
    </main>
  )
}
