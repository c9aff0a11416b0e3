import { TabLinks } from '@/components/tabs'
import { ssoLinks as t } from '@/strings/ssolinks'

/** The two lists of enterprise sign-in. */
export function SSOTabs({ projectRef: ref }: { projectRef: string }) {
  return (
    <TabLinks
      label={t.tabs}
      tabs={[
        { label: t.connections, to: '/p/$ref/sso', params: { ref }, exact: true },
        { label: t.title, to: '/p/$ref/sso/links', params: { ref } },
      ]}
    />
  )
}
