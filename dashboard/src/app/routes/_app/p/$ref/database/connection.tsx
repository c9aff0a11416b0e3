import { createFileRoute } from '@tanstack/react-router'
import { ConnectionPage } from '@/features/database/connectionpage'

export const Route = createFileRoute('/_app/p/$ref/database/connection')({ component: Connection })

function Connection() {
  const { ref } = Route.useParams()
  return <ConnectionPage projectRef={ref} />
}
