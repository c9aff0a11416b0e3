import { Section } from '@/components/page'
import { mfaPolicy as t } from '@/strings/mfapolicy'
import { settings as words } from '@/strings/settings'
import { PageHead } from '../page'
import { Sections } from '../sections'
import { useSettings } from '../settings'
import { MfaPolicy, policySettings } from './policy'

/** Who must use a second factor, and which ones there are. */
export function MfaPage() {
  const { setting } = useSettings()
  const page = words.pages.mfa
  const hasPolicy = setting('mfa_policy')?.built === true
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} />
      {hasPolicy && <MfaPolicy />}
      {hasPolicy ? (
        <Section id="factors" title={t.factors.title} description={t.factors.text}>
          <Sections ids={['mfa']} without={policySettings} />
        </Section>
      ) : (
        <Sections ids={['mfa']} />
      )}
    </>
  )
}
