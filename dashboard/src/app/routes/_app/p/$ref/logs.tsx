import { createFileRoute } from '@tanstack/react-router'
import { z } from 'zod'
import { LogsPage } from '@/features/logs/logspage'

const text = z.string().max(200).optional().catch(undefined)
const search = z.object({
  q: text,
  level: z.enum(['info', 'warning', 'error']).optional().catch(undefined),
  code: text,
  user: text,
  request: text,
  range: z.enum(['15m', '1h', '1d', '3d']).optional().catch(undefined),
  live: z.boolean().optional().catch(undefined),
  entry: text,
})

export const Route = createFileRoute('/_app/p/$ref/logs')({ validateSearch: search, component: Logs })

function Logs() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <LogsPage projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
