import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { HistoryPage } from '@/features/authconfig/history/page'
import { membersQuery } from '@/features/member/members'
import { projectQuery } from '@/features/project/project'
import { projectSettings as t } from '@/strings/projectsettings'

const count = (value: unknown) => (Number.isInteger(value) && Number(value) > 0 ? Number(value) : undefined)

export const Route = createFileRoute('/_app/p/$ref/settings/history')({
  validateSearch: (search): { version?: number; from?: number } => ({ version: count(search.version), from: count(search.from) }),
  component: History,
})

function History() {
  const { ref } = Route.useParams()
  const { version, from } = Route.useSearch()
  const navigate = Route.useNavigate()
  const project = useQuery(projectQuery(ref))
  const members = useQuery({ ...membersQuery(project.data?.organization_slug ?? ''), enabled: project.data !== undefined })
  const author = (id: string | undefined) => (id ? (members.data?.find((m) => m.user_id === id)?.user_name ?? (members.isPending ? '…' : id)) : t.history.server)
  return <HistoryPage projectRef={ref} author={author} open={version} from={from} onOpen={(next, other) => void navigate({ search: { version: next, from: other }, resetScroll: false })} />
}
