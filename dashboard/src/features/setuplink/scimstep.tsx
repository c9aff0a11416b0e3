import { Button } from '@/components/button'
import { SecretField } from '@/components/copy'
import { ErrorNote } from '@/components/error'
import { Notice } from '@/components/state'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { Actions, FieldToCopy, GuideSteps, Heading } from './parts'
import { useToken } from './setuplink'
import type { StepProps } from './setuppage'

export function ScimStep({ link, state }: StepProps) {
  const t = setupLink.scim
  const make = useToken(link)
  const guide = guides[state.idp]
  const done = (state.done ?? []).includes('scim')
  if (!state.connection) return <Heading title={t.title}>{t.first}</Heading>
  return (
    <>
      <Heading title={t.title}>{t.text(state.project)}</Heading>
      <div className="space-y-5">
        {guide && !guide.scim && <Notice>{t.none}</Notice>}
        {guide?.scim && <GuideSteps state={state} steps={guide.scim} />}
        {!guide?.scim && (
          <dl className="rounded border border-line bg-sunken">
            <FieldToCopy label={t.base} text={state.scim?.base_url ?? ''} />
          </dl>
        )}
        {!state.connection.live && <p className="text-text-2">{t.live}</p>}
        {make.data && (
          <div className="space-y-2">
            <Notice tone="warn">{t.once}</Notice>
            <SecretField label={t.token} value={make.data.token} />
          </div>
        )}
        {done && !make.data && <Notice>{t.made}</Notice>}
        {make.error && <ErrorNote error={make.error} />}
      </div>
      {!done && (
        <Actions>
          <Button kind="primary" busy={make.isPending} onClick={() => make.mutate()}>
            {t.button}
          </Button>
        </Actions>
      )}
    </>
  )
}
