import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Card } from '@/components/page'
import { Sparkline } from '@/components/sparkline'
import { Badge, Skeleton, Status, type Tone } from '@/components/state'
import { formatNumber } from '@/lib/format'
import { projects as t } from '@/strings/projects'
import { signInsQuery, userCountQuery, type Listed } from './list'

const tones: Record<string, Tone> = { ACTIVE_HEALTHY: 'ok', INIT_FAILED: 'danger', INACTIVE: 'neutral', PAUSING: 'neutral', GOING_DOWN: 'neutral' }

/** A project in the list: its state, and how much it is used. */
export function ProjectCard({ of: p }: { of: Listed }) {
  const served = p.status === 'ACTIVE_HEALTHY'
  const signIns = useQuery({ ...signInsQuery(p.ref), enabled: served, retry: false })
  const users = useQuery({ ...userCountQuery(p.ref), enabled: served, retry: false })
  const sum = signIns.data?.reduce((a, b) => a + b, 0)
  const label = sum === undefined ? '' : t.signIns(formatNumber(sum), sum)
  return (
    <Card className="relative h-full p-4 transition-colors hover:border-line-strong">
      <div className="flex items-start gap-2">
        <h2 className="min-w-0 flex-1 font-medium">
          <Link to="/p/$ref" params={{ ref: p.ref }} className="line-clamp-2 break-words after:absolute after:inset-0" dir="auto">
            {p.name}
          </Link>
        </h2>
        {p.is_branch && <Badge tone="info">{t.branch}</Badge>}
      </div>
      <p className="truncate font-mono text-xs text-text-3">{p.ref}</p>
      <div className="mt-4 flex h-6 items-end justify-between gap-3">
        <Status tone={tones[p.status] ?? 'warn'}>{t.states[p.status] ?? p.status}</Status>
        {signIns.data && <Sparkline values={signIns.data} label={label} />}
      </div>
      <p className="mt-2 min-h-5 border-t border-line pt-2 text-sm text-text-2">
        {served && signIns.isPending ? <Skeleton className="h-4 w-32" /> : [users.data === undefined ? '' : t.users(formatNumber(users.data), users.data), label].filter(Boolean).join(', ')}
      </p>
    </Card>
  )
}
