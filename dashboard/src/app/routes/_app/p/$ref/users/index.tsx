import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/p/$ref/users/')({ component: () => <Page title="Users">{null}</Page> })
