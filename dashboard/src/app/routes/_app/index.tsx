import { createFileRoute, redirect } from '@tanstack/react-router'
import { orgsQuery } from '@/features/org/orgs'
import { kept } from '@/lib/kept'

/** Leads to the organization that was used last. */
export const Route = createFileRoute('/_app/')({
  beforeLoad: async ({ context }) => {
    const orgs = await context.queryClient.ensureQueryData(orgsQuery)
    const last = kept.get('org')
    const org = orgs?.find((o) => o.slug === last) ?? orgs?.[0]
    throw org ? redirect({ to: '/orgs/$slug', params: { slug: org.slug } }) : redirect({ to: '/new' })
  },
})
