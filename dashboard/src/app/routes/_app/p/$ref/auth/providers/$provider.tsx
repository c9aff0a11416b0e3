import { createFileRoute } from '@tanstack/react-router'
import { ProviderPage } from '@/features/authconfig/providers/provider'

export const Route = createFileRoute('/_app/p/$ref/auth/providers/$provider')({ component: Provider })

function Provider() {
  const { provider } = Route.useParams()
  return <ProviderPage key={provider} id={provider} />
}
