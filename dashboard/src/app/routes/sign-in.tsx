import { createFileRoute } from '@tanstack/react-router'
import { SignIn } from '@/features/session/signin'

/** A path of this app, and of no other host. */
const local = (next: unknown) => (typeof next === 'string' && /^\/(?![/\\])[^\s\\]*$/.test(next) ? next : undefined)

export const Route = createFileRoute('/sign-in')({
  validateSearch: ({ next, mode }): { next?: string; mode?: 'sign-up' } => ({ ...(local(next) && { next: local(next) }), ...(mode === 'sign-up' ? { mode: 'sign-up' as const } : {}) }),
  component: Page,
})

function Page() {
  const { next, mode } = Route.useSearch()
  // The search of a match has what its parents left unchecked.
  return <SignIn next={local(next)} signUp={mode === 'sign-up'} />
}
