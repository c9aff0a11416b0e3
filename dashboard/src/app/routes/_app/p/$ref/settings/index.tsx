import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { GeneralPage } from '@/features/projectsettings/general'

export const Route = createFileRoute('/_app/p/$ref/settings/')({ component: General })

function General() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  const { data: held } = useQuery(projectPermissionsQuery(ref))
  const rights = { rename: may(held, 'project:update'), pause: may(held, 'project:pause'), password: may(held, 'database_password:write'), remove: may(held, 'project:delete') }
  return <GeneralPage key={ref} projectRef={ref} rights={rights} onDeleted={(slug) => void navigate({ to: '/orgs/$slug', params: { slug } })} />
}
