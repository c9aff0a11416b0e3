import { createFileRoute } from '@tanstack/react-router'
import { Jobs } from '@/features/operator/jobspage'

export const Route = createFileRoute('/_app/operator/jobs')({ component: Jobs })
