import { PartyPopper } from 'lucide-react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { EmptyState } from '@/components/state'
import { setupLink } from '@/strings/setuplink'
import { Actions, Heading } from './parts'
import { useFinish } from './setuplink'
import type { StepProps } from './setuppage'

export function LiveStep({ link, state, onNext }: StepProps) {
  const t = setupLink.live
  const finish = useFinish(link)
  const blockers = state.blockers ?? []
  if ((state.done ?? []).includes('sso')) {
    const more = (state.intents ?? []).includes('scim')
    return (
      <EmptyState icon={PartyPopper} title={t.done} action={more ? <Button onClick={onNext}>{setupLink.next}</Button> : undefined}>
        <p>{t.doneText(state.project)}</p>
      </EmptyState>
    )
  }
  return (
    <>
      <Heading title={t.title}>{t.text(state.project)}</Heading>
      {blockers.length > 0 && (
        <>
          <p className="font-medium">{t.missing}</p>
          <ul className="list-disc pl-5">
            {blockers.map((b) => (
              <li key={b}>{t.blockers[b] ?? b}</li>
            ))}
          </ul>
        </>
      )}
      {finish.error && <ErrorNote error={finish.error} />}
      <Actions>
        <Button kind="primary" disabled={blockers.length > 0} busy={finish.isPending} onClick={() => finish.mutate('sso')}>
          {t.button}
        </Button>
      </Actions>
    </>
  )
}
