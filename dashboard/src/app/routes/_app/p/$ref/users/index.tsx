import { createFileRoute } from '@tanstack/react-router'
import { UsersEmpty } from '@/features/home/usersempty'
import { validateUsersSearch } from '@/features/user/search'
import { UsersPage } from '@/features/user/userspage'

export const Route = createFileRoute('/_app/p/$ref/users/')({ validateSearch: validateUsersSearch, component: Users })

function Users() {
  const { ref } = Route.useParams()
  const search = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <UsersPage
      key={ref}
      projectRef={ref}
      search={search}
      onSearch={(change) => void navigate({ search: (now) => validateUsersSearch({ ...now, ...change }), replace: true })}
      empty={(create) => <UsersEmpty projectRef={ref} onCreate={create} />}
    />
  )
}
