import { createFileRoute } from '@tanstack/react-router'
import { z } from 'zod'
import { AdvisorsPage } from '@/features/database/advisorspage'

const search = z.object({ kind: z.enum(['security', 'performance']).optional().catch(undefined) })

export const Route = createFileRoute('/_app/p/$ref/database/advisors')({ validateSearch: search, component: Advisors })

function Advisors() {
  const { ref } = Route.useParams()
  const { kind } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <AdvisorsPage projectRef={ref} kind={kind ?? 'security'} onKind={(kind) => void navigate({ search: { kind }, replace: true })} />
}
