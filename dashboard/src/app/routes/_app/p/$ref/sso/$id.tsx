import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { ConnectionPage } from '@/features/sso/connectionpage'
import { id, oneOf, searchOf } from '@/lib/search'

const search = searchOf({ tab: oneOf('overview', 'domains', 'rules', 'mapping', 'signins', 'directory'), attempt: id() })

export const Route = createFileRoute('/_app/p/$ref/sso/$id')({ validateSearch: search, component: One })

function One() {
  const { ref, id } = Route.useParams()
  const { tab, attempt } = Route.useSearch()
  const navigate = Route.useNavigate()
  const held = useQuery(projectPermissionsQuery(ref)).data
  return <ConnectionPage key={id} projectRef={ref} id={id} tab={tab} attempt={attempt} onSearch={(next) => void navigate({ search: next, replace: true })} mayWrite={may(held, 'auth_config:write')} mayReadUsers={may(held, 'user:read')} mayWriteUsers={may(held, 'user:write')} />
}
