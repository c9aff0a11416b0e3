import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/p/$ref/keys')({ component: () => <Page title="Keys">{null}</Page> })
