import { createFileRoute } from '@tanstack/react-router'
import { oneOf, searchOf } from '@/lib/search'
import { AdvisorsPage } from '@/features/database/advisorspage'

const search = searchOf({ kind: oneOf('security', 'performance') })

export const Route = createFileRoute('/_app/p/$ref/database/advisors')({ validateSearch: search, component: Advisors })

function Advisors() {
  const { ref } = Route.useParams()
  const { kind } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <AdvisorsPage projectRef={ref} kind={kind ?? 'security'} onKind={(kind) => void navigate({ search: { kind }, replace: true })} />
}
