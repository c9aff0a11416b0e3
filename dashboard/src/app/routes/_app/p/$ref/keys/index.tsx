import { createFileRoute } from '@tanstack/react-router'
import { text, searchOf } from '@/lib/search'
import { KeysPage } from '@/features/keys/keyspage'

const search = searchOf({ key: text(64) })

export const Route = createFileRoute('/_app/p/$ref/keys/')({ validateSearch: search, component: Keys })

function Keys() {
  const { ref } = Route.useParams()
  const { key } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <KeysPage projectRef={ref} open={key} onOpen={(key) => void navigate({ search: { key }, replace: true })} />
}
