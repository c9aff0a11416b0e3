import { Stethoscope } from 'lucide-react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Notice } from '@/components/state'
import { CheckList, type Check } from '@/components/steps'
import { providers as t } from '@/strings/providers'
import type { Values } from '../config'
import { useSettings } from '../settings'
import { labelOf } from '../words'
import { useTestProvider } from './testprovider'

/** Goes to the provider with the values of the page, saved or not, and says what came back. */
export function ProviderTest({ projectRef, id, config }: { projectRef: string; id: string; config: Values }) {
  const { setting } = useSettings()
  const test = useTestProvider(projectRef, id)
  const out = test.data
  const missing = (out?.missing ?? []).map((name): Check => {
    const declared = setting(name)
    return { name: t.test.missing(declared ? labelOf(declared) : name), status: 'failed' }
  })
  const checks = (out?.checks ?? []).map((c): Check => ({ name: t.test.checks[c.name] ?? c.name, status: c.status, detail: c.detail }))
  return (
    <div className="space-y-3">
      <p className="text-text-2">{t.test.text}</p>
      <Button icon={Stethoscope} busy={test.isPending} onClick={() => test.mutate(config)}>
        {t.test.run}
      </Button>
      <div role="status" className="space-y-3">
        {test.error && <ErrorNote error={test.error} />}
        {out && (
          <>
            <Notice tone={out.ok ? 'ok' : 'danger'}>{out.ok ? t.test.ok : missing.length > 0 ? t.test.incomplete : t.test.failed}</Notice>
            {missing.length + checks.length > 0 && <CheckList label={t.steps.test} checks={[...missing, ...checks]} />}
          </>
        )}
      </div>
    </div>
  )
}
