import { useQuery } from '@tanstack/react-query'
import { createFileRoute, Outlet } from '@tanstack/react-router'
import { Page } from '@/components/page'
import { TabLinks } from '@/components/tabs'
import { configQuery } from '@/features/session/platform'
import { operator } from '@/strings/operator'

export const Route = createFileRoute('/_app/operator')({ component: Operator })

function Operator() {
  const config = useQuery(configQuery)
  return (
    <Page wide title={operator.title} description={operator.description}>
      <TabLinks
        label={operator.tabs.label}
        tabs={[
          { to: '/operator', label: operator.tabs.overview, exact: true },
          { to: '/operator/projects', label: operator.tabs.projects },
          { to: '/operator/organizations', label: operator.tabs.organizations },
          { to: '/operator/jobs', label: operator.tabs.jobs },
          ...(config.data?.dev ? [{ to: '/operator/inbox' as const, label: operator.tabs.inbox }] : []),
        ]}
      />
      <Outlet />
    </Page>
  )
}
