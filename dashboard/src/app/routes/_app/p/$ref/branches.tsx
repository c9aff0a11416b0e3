import { createFileRoute } from '@tanstack/react-router'
import { BranchesPage } from '@/features/branches/branchespage'
import { SettingsTabs } from '@/features/projectsettings/settingstabs'

export const Route = createFileRoute('/_app/p/$ref/branches')({ component: Branches })

function Branches() {
  const { ref } = Route.useParams()
  return <BranchesPage projectRef={ref} tabs={<SettingsTabs projectRef={ref} />} />
}
