import { createFileRoute } from '@tanstack/react-router'
import { flag, oneOf, text, searchOf } from '@/lib/search'
import { LogsPage } from '@/features/logs/logspage'

const search = searchOf({
  q: text(),
  level: oneOf('info', 'warning', 'error'),
  code: text(),
  user: text(),
  request: text(),
  range: oneOf('15m', '1h', '1d', '3d'),
  live: flag(),
  entry: text(),
})

export const Route = createFileRoute('/_app/p/$ref/logs')({ validateSearch: search, component: Logs })

function Logs() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <LogsPage projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
