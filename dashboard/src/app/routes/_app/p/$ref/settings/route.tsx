import { createFileRoute, Outlet } from '@tanstack/react-router'
import { Page } from '@/components/page'
import { SettingsTabs } from '@/features/projectsettings/settingstabs'
import { projectSettings as t } from '@/strings/projectsettings'

export const Route = createFileRoute('/_app/p/$ref/settings')({ component: Settings })

function Settings() {
  return (
    <Page title={t.title}>
      <SettingsTabs projectRef={Route.useParams().ref} />
      <Outlet />
    </Page>
  )
}
