import { createFileRoute } from '@tanstack/react-router'
import { localPath } from '@/lib/localpath'
import { SignIn } from '@/features/session/signin'

export const Route = createFileRoute('/sign-in')({
  validateSearch: ({ next, mode }): { next?: string; mode?: 'sign-up' } => ({ ...(localPath(next) && { next: localPath(next) }), ...(mode === 'sign-up' ? { mode: 'sign-up' as const } : {}) }),
  component: Page,
})

function Page() {
  const { next, mode } = Route.useSearch()
  // The search of a match has what its parents left unchecked.
  return <SignIn next={localPath(next)} signUp={mode === 'sign-up'} />
}
