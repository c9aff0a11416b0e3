import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/new')({ component: () => <Page title="New organization">{null}</Page> })
