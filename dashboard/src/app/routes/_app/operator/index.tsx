import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/operator/')({ component: () => <Page title="Operator">{null}</Page> })
