import { createFileRoute } from '@tanstack/react-router'
import { z } from 'zod'
import { InboxPage } from '@/features/inbox/inboxpage'

const search = z.object({
  message: z.string().max(64).optional().catch(undefined),
  q: z.string().max(200).optional().catch(undefined),
  view: z.enum(['html', 'text', 'source', 'headers']).optional().catch(undefined),
  narrow: z.boolean().optional().catch(undefined),
})

export const Route = createFileRoute('/_app/p/$ref/inbox')({ validateSearch: search, component: Inbox })

function Inbox() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <InboxPage projectRef={ref} search={Route.useSearch()} onSearch={(next) => void navigate({ search: next, replace: true })} />
}
