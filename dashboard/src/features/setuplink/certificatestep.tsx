import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Notice } from '@/components/state'
import { setupLink } from '@/strings/setuplink'
import { MetadataForm, Saved } from './metadataform'
import { Heading } from './parts'
import { useFinish } from './setuplink'
import type { StepProps } from './setuppage'

export function CertificateStep({ link, state, onNext }: StepProps) {
  const t = setupLink.certificate
  const finish = useFinish(link)
  if ((state.done ?? []).includes('certificate')) {
    return (
      <Notice tone="ok">
        {t.done}. {t.doneText}
      </Notice>
    )
  }
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      {state.connection && (
        <div className="mb-5">
          <h3 className="font-medium">{t.current}</h3>
          <Saved connection={state.connection} />
        </div>
      )}
      {finish.error && <ErrorNote error={finish.error} />}
      <MetadataForm
        link={link}
        state={state}
        byAddress
        onSaved={onNext}
        after={
          <Button busy={finish.isPending} onClick={() => finish.mutate('certificate')}>
            {t.finish}
          </Button>
        }
      />
    </>
  )
}
