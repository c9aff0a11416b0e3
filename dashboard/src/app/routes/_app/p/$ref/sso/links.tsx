import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { LinksPage } from '@/features/sso/linkspage'

export const Route = createFileRoute('/_app/p/$ref/sso/links')({
  validateSearch: ({ make }): { make?: string } => (typeof make === 'string' && make.length <= 36 ? { make } : {}),
  component: Links,
})

function Links() {
  const { ref } = Route.useParams()
  const navigate = Route.useNavigate()
  return <LinksPage key={ref} projectRef={ref} mayWrite={may(useQuery(projectPermissionsQuery(ref)).data, 'auth_config:write')} make={Route.useSearch().make} onMake={(make) => void navigate({ search: make ? { make } : {} })} />
}
