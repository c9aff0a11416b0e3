import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Members } from '@/features/member/memberspage'
import { may, orgPermissionsQuery } from '@/features/permission/permissions'
import { rolesQuery } from '@/features/role/roles'
import { kept } from '@/lib/kept'

export const Route = createFileRoute('/_app/orgs/$slug/members/')({ component: List })

function List() {
  const { slug } = Route.useParams()
  const { person } = Route.useRouteContext()
  const navigate = Route.useNavigate()
  const queries = useQueryClient()
  const permissions = useQuery(orgPermissionsQuery(slug))
  const roles = useQuery(rolesQuery(slug))
  const left = () => {
    queries.removeQueries()
    kept.remove('org')
    void navigate({ to: '/' })
  }
  return <Members slug={slug} me={person.id} roles={roles.data ?? []} mayWrite={may(permissions.data, 'member:write')} onLeft={left} />
}
