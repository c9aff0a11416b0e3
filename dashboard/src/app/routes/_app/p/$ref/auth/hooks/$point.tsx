import { createFileRoute } from '@tanstack/react-router'
import { EmptyState } from '@/components/state'
import { HookPage } from '@/features/authconfig/hooks/page'
import { pointOf } from '@/features/authconfig/hooks/points'
import { id, searchOf } from '@/lib/search'
import { hooks as t } from '@/strings/hooks'

export const Route = createFileRoute('/_app/p/$ref/auth/hooks/$point')({ validateSearch: searchOf({ call: id() }), component: Hook })

function Hook() {
  const { point: asked } = Route.useParams()
  const { call } = Route.useSearch()
  const navigate = Route.useNavigate()
  const point = pointOf(asked)
  if (!point) return <EmptyState title={t.unknown} />
  return <HookPage key={point} point={point} call={call} onCall={(next) => void navigate({ search: { call: next }, replace: true, resetScroll: false })} />
}
