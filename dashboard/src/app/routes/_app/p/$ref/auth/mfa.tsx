import { createFileRoute } from '@tanstack/react-router'
import { MfaPage } from '@/features/authconfig/mfa/page'

export const Route = createFileRoute('/_app/p/$ref/auth/mfa')({ component: MfaPage })
