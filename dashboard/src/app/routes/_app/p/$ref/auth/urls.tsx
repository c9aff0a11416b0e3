import { createFileRoute } from '@tanstack/react-router'
import { UrlsPage } from '@/features/authconfig/urls/page'

export const Route = createFileRoute('/_app/p/$ref/auth/urls')({
  validateSearch: (search): { try?: string } => (typeof search.try === 'string' ? { try: search.try.slice(0, 8192) } : {}),
  component: Urls,
})

function Urls() {
  const navigate = Route.useNavigate()
  const { try: url = '' } = Route.useSearch()
  return <UrlsPage url={url} onUrl={(next) => void navigate({ search: next ? { try: next } : {}, replace: true })} />
}
