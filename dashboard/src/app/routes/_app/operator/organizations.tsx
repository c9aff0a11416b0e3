import { createFileRoute } from '@tanstack/react-router'
import { AllOrganizations } from '@/features/operator/organizationspage'

export const Route = createFileRoute('/_app/operator/organizations')({
  validateSearch: (search): { q?: string } => (typeof search.q === 'string' && search.q !== '' ? { q: search.q.slice(0, 100) } : {}),
  component: Organizations,
})

function Organizations() {
  const { q = '' } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <AllOrganizations q={q} onSearch={(next) => void navigate({ search: next ? { q: next } : {}, replace: true })} onOpen={(slug) => void navigate({ to: '/orgs/$slug', params: { slug } })} />
  )
}
