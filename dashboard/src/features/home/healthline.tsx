import { useQuery } from '@tanstack/react-query'
import { Status } from '@/components/state'
import { home as t } from '@/strings/home'
import { healthQuery } from './health'

const words = { ACTIVE_HEALTHY: ['ok', t.health.up], COMING_UP: ['info', t.health.coming], UNHEALTHY: ['danger', t.health.down] } as const

/** Whether each service works, in a line. */
export function HealthLine({ projectRef }: { projectRef: string }) {
  const health = useQuery(healthQuery(projectRef))
  return (
    <ul aria-label={t.health.label} className="flex min-h-5 flex-wrap gap-x-5 text-sm">
      {health.data?.map((s) => {
        const [tone, word] = words[s.status]
        return (
          <li key={s.name}>
            <Status tone={tone}>
              {t.health.services[s.name] ?? s.name} <span className="text-text-2">{word}</span>
            </Status>
          </li>
        )
      })}
    </ul>
  )
}
