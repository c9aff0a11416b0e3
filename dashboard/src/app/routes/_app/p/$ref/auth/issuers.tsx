import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { IssuersPage } from '@/features/authconfig/issuers/page'
import { presets } from '@/features/authconfig/issuers/presets'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'

export const Route = createFileRoute('/_app/p/$ref/auth/issuers')({
  validateSearch: (search): { add?: (typeof presets)[number] } => ({ add: presets.find((p) => p === search.add) }),
  component: Issuers,
})

function Issuers() {
  const { ref } = Route.useParams()
  const { add } = Route.useSearch()
  const navigate = Route.useNavigate()
  const held = useQuery(projectPermissionsQuery(ref))
  return <IssuersPage adding={add} onAdding={(next) => void navigate({ search: { add: next }, replace: true, resetScroll: false })} mayCheck={may(held.data, 'database:read')} />
}
