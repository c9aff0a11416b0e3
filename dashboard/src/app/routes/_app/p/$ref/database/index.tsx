import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/p/$ref/database/')({ component: () => <Page title="Database">{null}</Page> })
