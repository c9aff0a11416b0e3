import { createFileRoute } from '@tanstack/react-router'
import { Setup } from '@/features/session/setup'

export const Route = createFileRoute('/setup')({
  validateSearch: ({ code }): { code?: string } => (typeof code === 'string' ? { code } : {}),
  component: () => <Setup code={Route.useSearch().code} />,
})
