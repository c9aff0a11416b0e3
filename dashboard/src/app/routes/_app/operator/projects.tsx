import { createFileRoute } from '@tanstack/react-router'
import type { ProjectFilter } from '@/features/operator/installation'
import { AllProjects, statuses, troubles } from '@/features/operator/projectspage'

export const Route = createFileRoute('/_app/operator/projects')({
  validateSearch: (search): ProjectFilter => ({
    q: typeof search.q === 'string' && search.q !== '' ? search.q.slice(0, 100) : undefined,
    status: statuses.find((s) => s === search.status),
    trouble: troubles.find((s) => s === search.trouble),
  }),
  component: Projects,
})

function Projects() {
  const filter = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <AllProjects filter={filter} onFilter={(search) => void navigate({ search, replace: true })} onOpen={(ref) => void navigate({ to: '/p/$ref', params: { ref } })} />
  )
}
