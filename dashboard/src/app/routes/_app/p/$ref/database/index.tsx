import { createFileRoute } from '@tanstack/react-router'
import { flag, id, oneOf, text, whole, searchOf } from '@/lib/search'
import { SqlPage } from '@/features/database/sqlpage'

const search = searchOf({
  as: oneOf('anon', 'authenticated', 'service_role'),
  user: id(),
  readonly: flag(),
  limit: whole(1, 10_000),
  sql: text(100_000),
})

export const Route = createFileRoute('/_app/p/$ref/database/')({ validateSearch: search, component: Sql })

function Sql() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <SqlPage key={ref} projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
