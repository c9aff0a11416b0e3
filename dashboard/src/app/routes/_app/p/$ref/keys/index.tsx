import { createFileRoute } from '@tanstack/react-router'
import { z } from 'zod'
import { KeysPage } from '@/features/keys/keyspage'

const search = z.object({ key: z.string().max(64).optional().catch(undefined) })

export const Route = createFileRoute('/_app/p/$ref/keys/')({ validateSearch: search, component: Keys })

function Keys() {
  const { ref } = Route.useParams()
  const { key } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <KeysPage projectRef={ref} open={key} onOpen={(key) => void navigate({ search: { key }, replace: true })} />
}
