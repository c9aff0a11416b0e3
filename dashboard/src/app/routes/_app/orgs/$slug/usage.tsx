import { createFileRoute } from '@tanstack/react-router'
import { Select } from '@/components/input'
import { Page } from '@/components/page'
import { OrgUsage } from '@/features/usage/usagepage'
import { usage } from '@/strings/usage'

const ranges = [7, 30, 90]

export const Route = createFileRoute('/_app/orgs/$slug/usage')({
  validateSearch: (search): { days?: number } => (ranges.includes(Number(search.days)) ? { days: Number(search.days) } : {}),
  component: Usage,
})

function Usage() {
  const { slug } = Route.useParams()
  const { days = 30 } = Route.useSearch()
  const navigate = Route.useNavigate()
  return (
    <Page
      title={usage.title}
      description={usage.description}
      action={
        <Select aria-label={usage.range} className="w-40" value={days} onChange={(e) => void navigate({ search: { days: Number(e.target.value) }, replace: true })}>
          {ranges.map((n) => (
            <option key={n} value={n}>
              {usage.days(n)}
            </option>
          ))}
        </Select>
      }
    >
      <OrgUsage slug={slug} days={days} />
    </Page>
  )
}
