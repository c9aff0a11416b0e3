import { createFileRoute } from '@tanstack/react-router'
import { Overview } from '@/features/operator/overviewpage'

export const Route = createFileRoute('/_app/operator/')({ component: Overview })
