import { Notice } from '@/components/state'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { MetadataForm, Saved } from './metadataform'
import { OIDCStep } from './oidcstep'
import { Heading } from './parts'
import type { StepProps } from './setuppage'

/** How the identity provider is reached: by its metadata, or by a registration there. */
export const ConnectStep = (props: StepProps) => (props.protocol === 'oidc' ? <OIDCStep {...props} /> : <MetadataStep {...props} />)

function MetadataStep({ link, state, onNext }: StepProps) {
  const t = setupLink.metadata
  const guide = guides[state.idp]
  const saved = state.connection?.type === 'saml' ? state.connection : undefined
  const live = (state.done ?? []).includes('sso')
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      {guide && (
        <p className="mb-4 break-words">
          {t.where} <span className="font-medium">{guide.metadata}</span>
        </p>
      )}
      {saved && (
        <div className="mb-5 space-y-2">
          <Notice tone="ok">
            {t.saved}. {!live && t.replace}
          </Notice>
          <Saved connection={saved} />
        </div>
      )}
      {!live && (
        <MetadataForm
          link={link}
          state={state}
          byAddress={guide?.byAddress ?? true}
          mapping={saved?.mapping ?? guide?.mapping ?? { email: '', name: '', groups: '' }}
          optional={saved !== undefined}
          onSaved={onNext}
        />
      )}
    </>
  )
}
