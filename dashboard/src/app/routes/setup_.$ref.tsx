import { createFileRoute } from '@tanstack/react-router'
import { SetupPage } from '@/features/setuplink/setuppage'
import { stepIds, type StepId } from '@/features/setuplink/steps'

export const Route = createFileRoute('/setup_/$ref')({
  validateSearch: ({ step }): { step?: StepId } => {
    const known = stepIds.find((id) => id === step)
    return known ? { step: known } : {}
  },
  component: SetupRoute,
})

function SetupRoute() {
  const { ref } = Route.useParams()
  const { step } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <SetupPage ref_={ref} step={step} onStep={(next) => void navigate({ search: { step: next } })} />
}
