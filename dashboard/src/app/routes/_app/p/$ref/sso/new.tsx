import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { NewConnectionPage } from '@/features/sso/newpage'

export const Route = createFileRoute('/_app/p/$ref/sso/new')({ component: New })

function New() {
  const { ref } = Route.useParams()
  return <NewConnectionPage key={ref} projectRef={ref} mayWrite={may(useQuery(projectPermissionsQuery(ref)).data, 'auth_config:write')} />
}
