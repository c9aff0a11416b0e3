import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleAlert, CircleCheck, CircleHelp, TriangleAlert } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { Notice, Skeleton } from '@/components/state'
import { home as t } from '@/strings/home'
import { advisorsQuery } from './advisors'
import { concernsOf, type Concern } from './attention'
import { healthQuery } from './health'

/** Says the one thing that needs attention, or that nothing does. */
export function AttentionNote({ projectRef }: { projectRef: string }) {
  const health = useQuery(healthQuery(projectRef))
  const advisors = useQuery(advisorsQuery(projectRef))
  if (health.isPending || advisors.isPending) return <Skeleton className="mb-6 h-10 w-full" />
  const [worst, ...others] = concernsOf(health.data ?? [], advisors.data ?? [])
  const blind = health.error ?? advisors.error
  return (
    <section aria-label={t.attention.label} className="mb-6">
      {worst ? (
        <Notice tone={worst.tone} icon={worst.tone === 'danger' ? CircleAlert : TriangleAlert} action={<Look at={worst} projectRef={projectRef} />}>
          <p className="break-words">
            <span className="font-medium">{worst.text.replace(/\.?$/, '.')}</span> {worst.detail} {others.length > 0 && <span className="text-text-2">{t.attention.more(others.length)}</span>}
          </p>
        </Notice>
      ) : (
        <Notice tone={blind ? 'neutral' : 'ok'} icon={blind ? CircleHelp : CircleCheck}>
          {blind ? t.attention.unknown : t.attention.none}
        </Notice>
      )}
    </section>
  )
}

function Look({ at, projectRef: ref }: { at: Concern; projectRef: string }) {
  const className = buttonClass('secondary', 'small')
  if (at.link === 'logs')
    return (
      <Link to="/p/$ref/logs" params={{ ref }} search={at.code ? { code: at.code } : {}} className={className}>
        {t.attention.look}
      </Link>
    )
  return (
    <Link to={at.link === 'auth' ? '/p/$ref/auth' : '/p/$ref/database'} params={{ ref }} className={className}>
      {t.attention.look}
    </Link>
  )
}
