import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { KeyValue, KeyValues } from '@/components/page'
import { Notice } from '@/components/state'
import { CheckList } from '@/components/steps'
import { setupLink } from '@/strings/setuplink'
import { Actions, Heading } from './parts'
import { useTry, type SetupState } from './setuplink'
import type { StepProps } from './setuppage'

type Attempt = NonNullable<SetupState['dry_run']>

export function TryStep({ link, state, onNext }: StepProps) {
  const t = setupLink.try
  const run = useTry(link)
  const attempt = state.dry_run
  const outdated = (state.blockers ?? []).includes('dry_run_outdated')
  const works = attempt?.outcome === 'accepted' && !outdated
  const closed = (state.done ?? []).some((d) => d === 'sso' || d === 'certificate')
  if (!state.connection) return <Heading title={t.title}>{t.first}</Heading>
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      {attempt && <Result attempt={attempt} outdated={outdated} />}
      {run.error && <ErrorNote error={run.error} />}
      <Actions>
        {works && (
          <Button kind="primary" onClick={onNext}>
            {setupLink.next}
          </Button>
        )}
        {!closed && (
          <Button kind={works ? 'secondary' : 'primary'} busy={run.isPending || run.isSuccess} onClick={() => run.mutate()}>
            {attempt ? t.again : t.start}
          </Button>
        )}
      </Actions>
    </>
  )
}

/** What came of a test: each check, whom the provider named, and what it said. */
function Result({ attempt, outdated }: { attempt: Attempt; outdated: boolean }) {
  const t = setupLink.try
  const { detail } = attempt
  const said = Object.entries(detail.statements ?? {})
  const claims = detail.user_metadata?.custom_claims
  const name = typeof claims === 'object' && claims !== null && 'name' in claims ? String(claims.name) : ''
  const groups = detail.groups?.length ? detail.groups : typeof claims === 'object' && claims !== null && 'groups' in claims && Array.isArray(claims.groups) ? claims.groups.map(String) : []
  if (attempt.outcome === 'begun') return <Notice tone="warn">{t.begun}</Notice>
  const steps = (detail.steps ?? []).map((s) => ({
    name: setupLink.check[s.check] ?? s.check,
    status: s.ok ? ('passed' as const) : ('failed' as const),
    detail: s.ok ? undefined : (
      <>
        {s.reason}
        <span className="mt-1 block text-text">
          <span className="font-medium">{t.mend}</span> {setupLink.mend[s.check]}
        </span>
      </>
    ),
  }))
  const unexplained = attempt.outcome === 'refused' && steps.every((s) => s.status === 'passed')
  return (
    <div className="space-y-5">
      {outdated ? <Notice tone="warn">{t.outdated}</Notice> : attempt.outcome === 'accepted' ? <Notice tone="ok">{t.accepted}</Notice> : <Notice tone="danger">{t.refused}</Notice>}
      {unexplained && (
        <p className="break-words">
          {attempt.reason} {!detail.email && setupLink.mendAddress}
        </p>
      )}
      {steps.length > 0 && <CheckList label={t.checks} checks={steps} />}
      {detail.subject && (
        <section>
          <h3 className="font-medium">{t.person}</h3>
          <KeyValues>
            <KeyValue label={t.subject}>{detail.subject}</KeyValue>
            <KeyValue label={t.email}>{detail.email || t.nothing}</KeyValue>
            <KeyValue label={t.name}>{name || t.nothing}</KeyValue>
            <KeyValue label={t.groups}>{groups.join(', ') || t.nothing}</KeyValue>
            {detail.found && <KeyValue label={t.account}>{t.found[detail.found] ?? detail.found}</KeyValue>}
          </KeyValues>
        </section>
      )}
      {detail.subject && (
        <section>
          <h3 className="font-medium">{t.said}</h3>
          {said.length === 0 ? (
            <p className="text-text-2">{t.saidNone}</p>
          ) : (
            <KeyValues>
              {said.map(([label, values]) => (
                <KeyValue key={label} label={<span className="font-mono text-sm break-all">{label}</span>}>
                  {(values ?? []).join(', ')}
                </KeyValue>
              ))}
            </KeyValues>
          )}
        </section>
      )}
    </div>
  )
}
