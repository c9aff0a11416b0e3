import { createFileRoute } from '@tanstack/react-router'
import { z } from 'zod'
import { SqlPage } from '@/features/database/sqlpage'

const search = z.object({
  as: z.enum(['anon', 'authenticated', 'service_role']).optional().catch(undefined),
  user: z.uuid().optional().catch(undefined),
  readonly: z.boolean().optional().catch(undefined),
  limit: z.number().int().min(1).max(10_000).optional().catch(undefined),
  sql: z.string().max(100_000).optional().catch(undefined),
})

export const Route = createFileRoute('/_app/p/$ref/database/')({ validateSearch: search, component: Sql })

function Sql() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <SqlPage key={ref} projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
