import type { ReactNode } from 'react'
import { Card } from '@/components/page'
import { Step } from '@/components/steps'
import { customProviders as t } from '@/strings/customproviders'
import { providers } from '@/strings/providers'
import { Callback } from '../providers/provider'
import type { Kind } from './fields'
import { Rows, type Form } from './form'

/** The first three steps: describe the provider, register there, enter what it gave. */
export function DefinitionSteps({ projectRef, kind, form, first, last }: { projectRef: string; kind: Kind; form: Form; /** Above the fields. */ first?: ReactNode; /** Below them. */ last?: ReactNode }) {
  return (
    <>
      <Step title={t.steps.describe}>
        <Card className="divide-y divide-line px-4">
          {first}
          <Rows form={form} names={kind === 'oidc' ? ['issuer'] : ['authorization_url', 'token_url', 'userinfo_url']} />
        </Card>
      </Step>
      <Step title={t.steps.register}>
        <p className="text-text-2">{t.steps.registerText}</p>
        <Callback projectRef={projectRef} />
      </Step>
      <Step title={providers.steps.client}>
        <Card className="divide-y divide-line px-4">
          <Rows form={form} names={['client_id', 'client_secret', 'scopes']} />
        </Card>
        <details>
          <summary className="cursor-pointer text-sm text-text-2 hover:text-text">{providers.more}</summary>
          <Card className="mt-2 divide-y divide-line px-4">
            <Rows form={form} names={['attribute_mapping', 'custom_claims_allowlist', 'email_optional', 'authorization_params', 'pkce_enabled', ...(kind === 'oidc' ? (['discovery_url', 'acceptable_client_ids', 'skip_nonce_check'] as const) : [])]} />
          </Card>
        </details>
        {last}
      </Step>
    </>
  )
}
