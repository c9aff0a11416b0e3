import { createFileRoute } from '@tanstack/react-router'
import { HomePage } from '@/features/home/homepage'
import { ranges, type Range } from '@/features/home/usage'

export const Route = createFileRoute('/_app/p/$ref/')({
  validateSearch: (search): { range?: Range } => {
    const range = ranges.find((r) => r === search.range)
    return range ? { range } : {}
  },
  component: Home,
})

function Home() {
  const { ref } = Route.useParams()
  const { range = '30d' } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <HomePage key={ref} projectRef={ref} range={range} onRange={(next) => void navigate({ search: next === '30d' ? {} : { range: next }, replace: true })} />
}
