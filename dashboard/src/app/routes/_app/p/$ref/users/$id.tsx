import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import type { Source } from '@/features/user/timeline'
import { UserPage } from '@/features/user/userpage'

export const Route = createFileRoute('/_app/p/$ref/users/$id')({
  validateSearch: (search): { show?: Source } => (search.show === 'audit' || search.show === 'log' ? { show: search.show } : {}),
  component: User,
})

function User() {
  const { ref, id } = Route.useParams()
  const { show } = Route.useSearch()
  const navigate = Route.useNavigate()
  const permissions = useQuery(projectPermissionsQuery(ref)).data
  return (
    <UserPage
      key={id}
      projectRef={ref}
      id={id}
      show={show}
      onShow={(next) => void navigate({ search: next ? { show: next } : {}, replace: true })}
      mayWrite={may(permissions, 'user:write')}
      mayReadInbox={may(permissions, 'inbox:read')}
    />
  )
}
