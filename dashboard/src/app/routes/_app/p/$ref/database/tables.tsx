import { createFileRoute } from '@tanstack/react-router'
import { text, searchOf } from '@/lib/search'
import { TablesPage } from '@/features/database/tablespage'

const search = searchOf({ q: text(), schema: text(), table: text() })

export const Route = createFileRoute('/_app/p/$ref/database/tables')({ validateSearch: search, component: Tables })

function Tables() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <TablesPage projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
