import { createFileRoute } from '@tanstack/react-router'
import { CustomProviders } from '@/features/authconfig/customproviders/section'
import { ProvidersPage } from '@/features/authconfig/providers/grid'

export const Route = createFileRoute('/_app/p/$ref/auth/providers/')({
  component: () => (
    <ProvidersPage>
      <CustomProviders />
    </ProvidersPage>
  ),
})
