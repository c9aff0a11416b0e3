import { createFileRoute } from '@tanstack/react-router'
import { InboxPage } from '@/features/inbox/inboxpage'
import { inboxSearch } from '@/features/inbox/search'

export const Route = createFileRoute('/_app/p/$ref/inbox')({ validateSearch: inboxSearch, component: Inbox })

function Inbox() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <InboxPage projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
