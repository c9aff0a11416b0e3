import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/p/$ref/settings')({ component: () => <Page title="Settings">{null}</Page> })
