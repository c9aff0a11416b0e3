import { createFileRoute } from '@tanstack/react-router'
import { Reset } from '@/features/session/reset'

export const Route = createFileRoute('/reset')({ component: Reset })
