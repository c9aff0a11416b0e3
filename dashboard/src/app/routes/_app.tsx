import { createFileRoute, redirect } from '@tanstack/react-router'
import { personQuery } from '@/features/session/person'
import { Shell } from '@/app/shell'

/** The pages of people who are signed in. */
export const Route = createFileRoute('/_app')({
  beforeLoad: async ({ context, location }) => {
    const person = await context.queryClient.ensureQueryData(personQuery)
    if (!person) {
      context.queryClient.removeQueries({ queryKey: personQuery.queryKey })
      throw redirect({ to: '/sign-in', search: { next: location.href } })
    }
    return { person }
  },
  component: Shell,
})
