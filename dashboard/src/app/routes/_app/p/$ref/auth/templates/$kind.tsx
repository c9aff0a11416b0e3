import { createFileRoute } from '@tanstack/react-router'
import { EmptyState } from '@/components/state'
import { kinds } from '@/features/authconfig/templates/builtin'
import type { View } from '@/features/authconfig/templates/previewpane'
import { TemplatePage } from '@/features/authconfig/templates/template'
import { templates as t } from '@/strings/templates'

export const Route = createFileRoute('/_app/p/$ref/auth/templates/$kind')({
  validateSearch: (search): Partial<View> => ({
    ...(search.width === 'narrow' ? { width: 'narrow' } : {}),
    ...(search.theme === 'dark' ? { theme: 'dark' } : {}),
    ...(search.form === 'text' ? { form: 'text' } : {}),
  }),
  component: Template,
})

function Template() {
  const { kind: asked } = Route.useParams()
  const navigate = Route.useNavigate()
  const search = Route.useSearch()
  const view: View = { width: search.width ?? 'wide', theme: search.theme ?? 'light', form: search.form ?? 'html' }
  const kind = kinds.find((k) => k === asked)
  if (!kind) return <EmptyState title={t.unknown} />
  return <TemplatePage key={kind} kind={kind} view={view} onView={(next) => void navigate({ search: next, replace: true, resetScroll: false })} />
}
