import { createFileRoute } from '@tanstack/react-router'
import { ProvidersPage } from '@/features/authconfig/providers/grid'

export const Route = createFileRoute('/_app/p/$ref/auth/providers/')({ component: () => <ProvidersPage /> })
