import { TabLinks } from '@/components/tabs'
import { projectSettings as t } from '@/strings/projectsettings'

/** Leads between what a project is: its name and end, the history of its settings, its copies. */
export function SettingsTabs({ projectRef: ref }: { projectRef: string }) {
  const params = { ref }
  return (
    <TabLinks
      label={t.tabs.label}
      tabs={[
        { to: '/p/$ref/settings', params, label: t.tabs.general, exact: true },
        { to: '/p/$ref/settings/history', params, label: t.tabs.history },
        { to: '/p/$ref/branches', params, label: t.tabs.branches },
      ]}
    />
  )
}
