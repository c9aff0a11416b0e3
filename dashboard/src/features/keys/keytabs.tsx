import { TabLinks } from '@/components/tabs'
import { keys as t } from '@/strings/keys'

/** Leads between the two kinds of keys. */
export function KeyTabs({ projectRef: ref }: { projectRef: string }) {
  return (
    <TabLinks
      label={t.tabs.label}
      tabs={[
        { to: '/p/$ref/keys', params: { ref }, label: t.tabs.api, exact: true },
        { to: '/p/$ref/keys/signing', params: { ref }, label: t.tabs.signing },
      ]}
    />
  )
}
