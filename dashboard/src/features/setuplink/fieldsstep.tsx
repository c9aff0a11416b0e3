import { Button } from '@/components/button'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { Actions, GuideSteps, Heading } from './parts'
import type { StepProps } from './setuppage'

export function FieldsStep({ state, onNext, onStep }: StepProps) {
  const t = setupLink.fields
  const guide = guides[state.idp]
  if (!guide) {
    return (
      <>
        <Heading title={setupLink.steps.fields}>{t.unchosen}</Heading>
        <Button onClick={() => onStep('idp')}>{setupLink.back}</Button>
      </>
    )
  }
  return (
    <>
      <Heading title={t.title(guide.name)}>{t.text}</Heading>
      <GuideSteps state={state} steps={guide.steps} />
      <Actions>
        <Button kind="primary" onClick={onNext}>
          {setupLink.next}
        </Button>
      </Actions>
    </>
  )
}
