import { createFileRoute } from '@tanstack/react-router'
import { digits, searchOf } from '@/lib/search'
import { MigrationsPage } from '@/features/database/migrationspage'

// A version is all digits, which the address takes for a number.
const search = searchOf({ version: digits(32) })

export const Route = createFileRoute('/_app/p/$ref/database/migrations')({ validateSearch: search, component: Migrations })

function Migrations() {
  const { ref } = Route.useParams()
  const { version } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <MigrationsPage projectRef={ref} open={version} onOpen={(version) => void navigate({ search: { version }, replace: true })} />
}
