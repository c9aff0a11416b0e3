import { createFileRoute } from '@tanstack/react-router'
import { Page } from '@/components/page'

export const Route = createFileRoute('/_app/p/$ref/auth/')({ component: () => <Page title="Sign-in">{null}</Page> })
