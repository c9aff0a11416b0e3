import { createFileRoute } from '@tanstack/react-router'
import { SmtpPage } from '@/features/authconfig/smtp/page'

export const Route = createFileRoute('/_app/p/$ref/auth/smtp')({ component: SmtpPage })
