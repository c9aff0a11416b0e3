import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, orgPermissionsQuery } from '@/features/permission/permissions'
import { ProjectsPage, type ProjectsSearch } from '@/features/project/projectspage'

export const Route = createFileRoute('/_app/orgs/$slug/')({
  validateSearch: ({ q, create }): ProjectsSearch => ({ ...(typeof q === 'string' && q && { q: q.slice(0, 100) }), ...(create === true && { create: true as const }) }),
  component: Projects,
})

function Projects() {
  const { slug } = Route.useParams()
  const navigate = Route.useNavigate()
  const permissions = useQuery(orgPermissionsQuery(slug))
  return <ProjectsPage slug={slug} search={Route.useSearch()} onSearch={(search) => void navigate({ search, replace: true })} mayCreate={may(permissions.data, 'project:create')} />
}
