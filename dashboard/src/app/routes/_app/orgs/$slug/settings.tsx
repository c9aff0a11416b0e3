import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'
import { OrgSettings } from '@/features/org/settingspage'
import { may, orgPermissionsQuery } from '@/features/permission/permissions'
import { orgSettings } from '@/strings/orgsettings'
import { kept } from '@/lib/kept'

export const Route = createFileRoute('/_app/orgs/$slug/settings')({ component: Settings })

function Settings() {
  const { slug } = Route.useParams()
  const navigate = Route.useNavigate()
  const queries = useQueryClient()
  const permissions = useQuery(orgPermissionsQuery(slug))
  const gone = () => {
    queries.removeQueries()
    kept.remove('org')
    void navigate({ to: '/' })
  }
  return (
    <Page title={orgSettings.title}>
      <OrgSettings slug={slug} mayUpdate={may(permissions.data, 'organization:update')} mayDelete={may(permissions.data, 'organization:delete')} onDeleted={gone} />
    </Page>
  )
}
