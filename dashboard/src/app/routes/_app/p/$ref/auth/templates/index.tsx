import { createFileRoute } from '@tanstack/react-router'
import { TemplatesPage } from '@/features/authconfig/templates/list'

export const Route = createFileRoute('/_app/p/$ref/auth/templates/')({ component: TemplatesPage })
