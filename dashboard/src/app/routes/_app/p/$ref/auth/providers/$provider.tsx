import { createFileRoute } from '@tanstack/react-router'
import { NewProviderPage } from '@/features/authconfig/customproviders/newpage'
import { CustomProviderPage } from '@/features/authconfig/customproviders/page'
import { ProviderPage } from '@/features/authconfig/providers/provider'

export const Route = createFileRoute('/_app/p/$ref/auth/providers/$provider')({ component: Provider })

function Provider() {
  const { provider } = Route.useParams()
  if (provider === 'new') return <NewProviderPage />
  if (provider.startsWith('custom:')) return <CustomProviderPage key={provider} id={provider} />
  return <ProviderPage key={provider} id={provider} />
}
