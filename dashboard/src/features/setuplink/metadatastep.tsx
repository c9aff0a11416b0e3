import { Notice } from '@/components/state'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { MetadataForm, Saved } from './metadataform'
import { Heading } from './parts'
import type { StepProps } from './setuppage'

export function MetadataStep({ link, state, onNext }: StepProps) {
  const t = setupLink.metadata
  const guide = guides[state.idp]
  const live = (state.done ?? []).includes('sso')
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      {guide && (
        <p className="mb-4 break-words">
          {t.where} <span className="font-medium">{guide.metadata}</span>
        </p>
      )}
      {state.connection && (
        <div className="mb-5 space-y-2">
          <Notice tone="ok">
            {t.saved}. {!live && t.replace}
          </Notice>
          <Saved connection={state.connection} />
        </div>
      )}
      {!live && (
        <MetadataForm
          link={link}
          state={state}
          byAddress={guide?.byAddress ?? true}
          mapping={state.connection?.mapping ?? guide?.mapping ?? { email: '', name: '', groups: '' }}
          optional={state.connection !== undefined}
          onSaved={onNext}
        />
      )}
    </>
  )
}
