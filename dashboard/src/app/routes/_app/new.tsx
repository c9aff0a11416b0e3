import { createFileRoute } from '@tanstack/react-router'
import { NewOrgPage } from '@/features/org/newpage'

export const Route = createFileRoute('/_app/new')({ component: NewOrgPage })
