import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { UsersEmpty } from '@/features/home/usersempty'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { validateUsersSearch } from '@/features/user/search'
import { UsersPage } from '@/features/user/userspage'

export const Route = createFileRoute('/_app/p/$ref/users/')({ validateSearch: validateUsersSearch, component: Users })

function Users() {
  const { ref } = Route.useParams()
  const search = Route.useSearch()
  const permissions = useQuery(projectPermissionsQuery(ref))
  const mayWrite = may(permissions.data, 'user:write')
  const navigate = Route.useNavigate()
  return (
    <UsersPage
      key={ref}
      projectRef={ref}
      search={search}
      onSearch={(change) => void navigate({ search: (now) => validateUsersSearch({ ...now, ...change }), replace: true })}
      empty={(create) => <UsersEmpty projectRef={ref} onCreate={mayWrite ? create : undefined} />}
      mayWrite={mayWrite}
    />
  )
}
