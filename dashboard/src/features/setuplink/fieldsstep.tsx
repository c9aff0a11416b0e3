import { Button } from '@/components/button'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { Actions, FieldToCopy, GuideSteps, Heading } from './parts'
import type { StepProps } from './setuppage'

export function FieldsStep({ state, protocol, onNext, onStep }: StepProps) {
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
  const steps = (protocol === 'oidc' && guide.oidc?.steps) || guide.steps
  const logout = protocol === 'oidc' && !steps.some((s) => s.fields?.some((f) => f.value === 'backchannel'))
  return (
    <>
      <Heading title={t.title(guide.name)}>{t.text}</Heading>
      <GuideSteps state={state} steps={steps} />
      {logout && (
        <div className="mt-5 space-y-2">
          <p className="text-text-2">{t.logout}</p>
          <dl className="rounded border border-line bg-sunken">
            <FieldToCopy label={t.backchannel} text={state.service_provider.oidc.backchannel_logout_uri ?? ''} />
          </dl>
        </div>
      )}
      <Actions>
        <Button kind="primary" onClick={onNext}>
          {setupLink.next}
        </Button>
      </Actions>
    </>
  )
}
