import { useState } from 'react'
import { Button } from '@/components/button'
import { ChoiceList } from '@/components/choicelist'
import { ErrorNote } from '@/components/error'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { Actions, Heading } from './parts'
import { useSave } from './setuplink'
import type { StepProps } from './setuppage'

export function IdpStep({ link, state, protocol, onProtocol }: StepProps) {
  const t = setupLink.idp
  const [chosen, choose] = useState(state.idp)
  const save = useSave(link)
  const live = (state.done ?? []).includes('sso')
  const allowed = state.protocols ?? []
  const known = Object.entries(guides).filter(([, g]) => allowed.includes('saml') || g.oidc)
  const both = allowed.length > 1 && guides[chosen]?.oidc !== undefined
  const next = () => onProtocol(both || !allowed.includes('saml') ? protocol : 'saml', 'fields')
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      <div className="space-y-5">
        <ChoiceList name="idp" label={t.label} value={chosen} onChange={choose} disabled={live} options={known.map(([value, g]) => ({ value, label: g.name }))} />
        {both && !live && (
          <section className="space-y-2">
            <h3 className="font-medium">{t.protocol}</h3>
            <ChoiceList name="protocol" label={t.protocol} value={protocol} onChange={(chosen) => onProtocol(chosen)} options={(['saml', 'oidc'] as const).map((value) => ({ value, ...t.protocols[value] }))} />
          </section>
        )}
      </div>
      {save.error && <ErrorNote error={save.error} />}
      <Actions>
        <Button kind="primary" disabled={!chosen} busy={save.isPending} onClick={() => (chosen === state.idp ? next() : save.mutate({ idp: chosen }, { onSuccess: next }))}>
          {setupLink.next}
        </Button>
      </Actions>
    </>
  )
}
