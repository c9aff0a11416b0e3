import type { ReactNode } from 'react'
import { CopyButton } from '@/components/copy'
import { setupLink } from '@/strings/setuplink'
import type { GuideField, GuideStep } from '@/strings/setupidps'
import type { SetupState } from './setuplink'

/** The heading of a step, with what it is for. */
export function Heading({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mb-5 space-y-1">
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <p className="text-text-2">{children}</p>}
    </div>
  )
}

/** The buttons at the end of a step. */
export function Actions({ children }: { children: ReactNode }) {
  return <div className="mt-6 flex flex-wrap items-center gap-2 border-t border-line pt-4">{children}</div>
}

/** A field of the other console, and what to put in it. */
export function FieldToCopy({ label, text }: { label: string; text: string }) {
  return (
    <div className="grid gap-x-4 gap-y-0.5 px-3 py-2 sm:grid-cols-[minmax(9rem,2fr)_minmax(0,3fr)]">
      <dt className="break-words text-text-2">{label}</dt>
      <dd className="flex min-w-0 items-start gap-1">
        <span className="min-w-0 flex-1 font-mono text-sm break-all">{text}</span>
        <CopyButton text={text} label={setupLink.copy(label)} />
      </dd>
    </div>
  )
}

function valueOf(state: SetupState, field: GuideField): string {
  const { service_provider: sp } = state
  if (typeof field.value !== 'string') return field.value.text
  return {
    redirect: sp.oidc.redirect_uri ?? '',
    afterLogout: sp.oidc.post_logout_redirect_uri ?? '',
    backchannel: sp.oidc.backchannel_logout_uri ?? '',
    acs: sp.acs_url,
    entity: sp.entity_id,
    metadata: sp.metadata_url,
    scim: state.scim?.base_url ?? '',
  }[field.value]
}

/** What to do in the console of an identity provider. */
export function GuideSteps({ state, steps }: { state: SetupState; steps: GuideStep[] }) {
  return (
    <ol className="list-decimal space-y-4 pl-5 marker:text-text-2">
      {steps.map((s) => (
        <li key={s.text} className="space-y-2 pl-1">
          <p>{s.text}</p>
          {s.fields && (
            <dl className="divide-y divide-line rounded border border-line bg-sunken">
              {s.fields.map((f) => (
                <FieldToCopy key={f.label} label={f.label} text={valueOf(state, f)} />
              ))}
            </dl>
          )}
        </li>
      ))}
    </ol>
  )
}
