import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/orgs/$slug/members')({ component: () => <Page title="Members">{null}</Page> })
