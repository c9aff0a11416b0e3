import { Send, Stethoscope } from 'lucide-react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Notice } from '@/components/state'
import { CheckList } from '@/components/steps'
import { settings as words } from '@/strings/settings'
import { smtp as t } from '@/strings/smtp'
import { PageHead } from '../page'
import { Sections } from '../sections'
import { useSettings } from '../settings'
import { stepsOf } from './steps'
import { useTestSmtp } from './testsmtp'

/** The project's mail server, and a test of it step by step. */
export function SmtpPage() {
  const { ref, draft, value } = useSettings()
  const test = useTestSmtp(ref)
  const page = words.pages.smtp
  const hasHost = Boolean(value('smtp_host'))
  const out = test.data
  const run = (send: boolean) => test.mutate({ config: draft.values, send })
  const running = test.isPending ? test.variables.send : undefined
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} />
      <div className="mb-10">
        <Sections ids={['smtp']} />
      </div>
      <Section
        title={t.test}
        description={hasHost ? t.testText : t.needsHost}
        action={
          <>
            <Button icon={Stethoscope} disabled={!hasHost || running === true} busy={running === false} onClick={() => run(false)}>
              {t.tryIt}
            </Button>
            <Button icon={Send} disabled={!hasHost || running === false} busy={running === true} onClick={() => run(true)}>
              {t.send}
            </Button>
          </>
        }
      >
        <div role="status" className="space-y-3">
          {test.error && <ErrorNote error={test.error} />}
          {out && <Notice tone={out.ok ? 'ok' : 'danger'}>{out.sent ? t.sent(out.to) : out.ok ? t.ok(out.to) : t.failed}</Notice>}
          {out && <CheckList label={t.test} checks={stepsOf(out.steps ?? [])} />}
        </div>
      </Section>
    </>
  )
}
