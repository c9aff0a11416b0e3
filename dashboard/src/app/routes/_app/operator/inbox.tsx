import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Skeleton } from '@/components/state'
import { PlatformInbox } from '@/features/inbox/platforminbox'
import { inboxSearch } from '@/features/inbox/search'
import { configQuery } from '@/features/session/platform'

export const Route = createFileRoute('/_app/operator/inbox')({ validateSearch: inboxSearch, component: Inbox })

function Inbox() {
  const navigate = Route.useNavigate()
  const search = Route.useSearch()
  const config = useQuery(configQuery)
  if (!config.data) return <Skeleton className="h-64 w-full" />
  return <PlatformInbox dev={config.data.dev} search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
