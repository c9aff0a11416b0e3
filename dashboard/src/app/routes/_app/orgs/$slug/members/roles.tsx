import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { allPermissionsQuery, may, orgPermissionsQuery } from '@/features/permission/permissions'
import { Roles } from '@/features/role/rolespage'

export const Route = createFileRoute('/_app/orgs/$slug/members/roles')({ component: List })

function List() {
  const { slug } = Route.useParams()
  const permissions = useQuery(orgPermissionsQuery(slug))
  const all = useQuery(allPermissionsQuery)
  return <Roles slug={slug} mayWrite={may(permissions.data, 'role:write')} all={all.data ?? []} />
}
