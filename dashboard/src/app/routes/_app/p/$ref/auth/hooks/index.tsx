import { createFileRoute } from '@tanstack/react-router'
import { HooksPage } from '@/features/authconfig/hooks/list'

export const Route = createFileRoute('/_app/p/$ref/auth/hooks/')({ component: HooksPage })
