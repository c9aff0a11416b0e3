import { createFileRoute } from '@tanstack/react-router'
import { SetupPage, type Protocol } from '@/features/setuplink/setuppage'
import { stepIds, type StepId } from '@/features/setuplink/steps'

export const Route = createFileRoute('/setup_/$ref')({
  validateSearch: ({ step, protocol }): { step?: StepId; protocol?: Protocol } => {
    const known = stepIds.find((id) => id === step)
    return { ...(known && { step: known }), ...((protocol === 'saml' || protocol === 'oidc') && { protocol }) }
  },
  component: SetupRoute,
})

function SetupRoute() {
  const { ref } = Route.useParams()
  const { step, protocol } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <SetupPage ref_={ref} step={step} protocol={protocol} onSearch={(search) => void navigate({ search })} />
}
