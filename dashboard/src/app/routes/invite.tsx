import { createFileRoute } from '@tanstack/react-router'
import { Invite } from '@/features/session/invite'

export const Route = createFileRoute('/invite')({
  validateSearch: ({ token }): { token?: string } => (typeof token === 'string' ? { token } : {}),
  component: () => <Invite token={Route.useSearch().token} />,
})
