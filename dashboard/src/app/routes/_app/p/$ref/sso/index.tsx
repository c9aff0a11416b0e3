import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { ConnectionsPage } from '@/features/sso/listpage'

export const Route = createFileRoute('/_app/p/$ref/sso/')({ component: Connections })

function Connections() {
  const { ref } = Route.useParams()
  return <ConnectionsPage key={ref} projectRef={ref} mayWrite={may(useQuery(projectPermissionsQuery(ref)).data, 'auth_config:write')} />
}
