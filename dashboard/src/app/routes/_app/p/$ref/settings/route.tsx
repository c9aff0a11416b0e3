import { createFileRoute, Outlet } from '@tanstack/react-router'
import { Page } from '@/components/page'
import { TabLinks } from '@/components/tabs'
import { projectSettings as t } from '@/strings/projectsettings'

export const Route = createFileRoute('/_app/p/$ref/settings')({ component: Settings })

function Settings() {
  const { ref } = Route.useParams()
  return (
    <Page title={t.title}>
      <TabLinks
        label={t.tabs.label}
        tabs={[
          { to: '/p/$ref/settings', params: { ref }, label: t.tabs.general, exact: true },
          { to: '/p/$ref/settings/history', params: { ref }, label: t.tabs.history },
        ]}
      />
      <Outlet />
    </Page>
  )
}
