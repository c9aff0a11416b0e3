import { useQuery } from '@tanstack/react-query'
import { createFileRoute, Link } from '@tanstack/react-router'
import { ErrorState } from '@/components/error'
import { Page } from '@/components/page'
import { projectsQuery } from '@/features/project/projects'
import { shell } from '@/strings/shell'

export const Route = createFileRoute('/_app/orgs/$slug/')({ component: Projects })

function Projects() {
  const { slug } = Route.useParams()
  const projects = useQuery(projectsQuery(slug))
  if (projects.error) return <ErrorState error={projects.error} onRetry={() => void projects.refetch()} />
  return (
    <Page title={shell.projects}>
      <ul className="space-y-1">
        {projects.data?.projects?.map((p) => (
          <li key={p.ref}>
            <Link to="/p/$ref" params={{ ref: p.ref }} className="text-accent hover:underline">
              {p.name}
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  )
}
