import { createFileRoute } from '@tanstack/react-router'
import { z } from 'zod'
import { MigrationsPage } from '@/features/database/migrationspage'

// A version is all digits, which the address takes for a number.
const search = z.object({ version: z.union([z.string().max(32), z.number().transform(String)]).optional().catch(undefined) })

export const Route = createFileRoute('/_app/p/$ref/database/migrations')({ validateSearch: search, component: Migrations })

function Migrations() {
  const { ref } = Route.useParams()
  const { version } = Route.useSearch()
  const navigate = Route.useNavigate()
  return <MigrationsPage projectRef={ref} open={version} onOpen={(version) => void navigate({ search: { version }, replace: true })} />
}
