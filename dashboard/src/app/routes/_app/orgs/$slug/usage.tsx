import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/orgs/$slug/usage')({ component: () => <Page title="Usage">{null}</Page> })
