import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { oneOf, text, whole, searchOf } from '@/lib/search'
import { AuditPage } from '@/features/audit/auditpage'
import { membersQuery } from '@/features/member/members'
import { projectsQuery } from '@/features/project/projects'

const search = searchOf({
  q: text(),
  actor: text(),
  action: text(),
  project: text(),
  result: oneOf('done', 'refused', 'failed', 'unknown'),
  range: oneOf('1d', '7d', '30d', '90d'),
  entry: whole(1),
})

export const Route = createFileRoute('/_app/orgs/$slug/audit')({ validateSearch: search, component: Audit })

function Audit() {
  const { slug } = Route.useParams()
  const navigate = Route.useNavigate()
  const members = useQuery(membersQuery(slug))
  const projects = useQuery(projectsQuery(slug))
  return (
    <AuditPage
      slug={slug}
      search={Route.useSearch()}
      onSearch={(next) => void navigate({ search: next, replace: true })}
      members={(members.data ?? []).map((m) => ({ value: m.user_id, label: m.email ?? m.user_name }))}
      projects={(projects.data?.projects ?? []).map((p) => ({ value: p.ref, label: p.name }))}
    />
  )
}
