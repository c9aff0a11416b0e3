import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/account')({ component: () => <Page title="Account">{null}</Page> })
