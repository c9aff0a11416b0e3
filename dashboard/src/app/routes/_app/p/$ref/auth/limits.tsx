import { createFileRoute } from '@tanstack/react-router'
import { LimitsPage } from '@/features/authconfig/limits/page'

export const Route = createFileRoute('/_app/p/$ref/auth/limits')({ component: LimitsPage })
