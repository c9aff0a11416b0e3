import { useState } from 'react'
import { Button } from '@/components/button'
import { ChoiceList } from '@/components/choicelist'
import { ErrorNote } from '@/components/error'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { Actions, Heading } from './parts'
import { useSave } from './setuplink'
import type { StepProps } from './setuppage'

export function IdpStep({ link, state, onNext }: StepProps) {
  const t = setupLink.idp
  const [chosen, choose] = useState(state.idp)
  const save = useSave(link)
  const live = (state.done ?? []).includes('sso')
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      <ChoiceList name="idp" label={t.label} value={chosen} onChange={choose} disabled={live} options={Object.entries(guides).map(([value, g]) => ({ value, label: g.name }))} />
      {save.error && <ErrorNote error={save.error} />}
      <Actions>
        <Button kind="primary" disabled={!chosen} busy={save.isPending} onClick={() => (chosen === state.idp ? onNext() : save.mutate({ idp: chosen }, { onSuccess: onNext }))}>
          {setupLink.next}
        </Button>
      </Actions>
    </>
  )
}
