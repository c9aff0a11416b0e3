import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Card } from '@/components/page'
import { Sparkline } from '@/components/sparkline'
import { Badge, Skeleton, Status, type Tone } from '@/components/state'
import { Time } from '@/components/time'
import { formatNumber } from '@/lib/format'
import { projects as t } from '@/strings/projects'
import { userCountQuery, type Listed } from './list'

const tones: Record<string, Tone> = { ACTIVE_HEALTHY: 'ok', INIT_FAILED: 'danger', INACTIVE: 'neutral', PAUSING: 'neutral', GOING_DOWN: 'neutral' }

function Figure({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-xs text-text-3">{label}</dt>
      <dd className="tabular truncate">{children}</dd>
    </div>
  )
}

/** A project in the list: its state, how much it is used, and when it was last. */
export function ProjectCard({ of: p }: { of: Listed }) {
  const uncounted = p.users === null && p.status === 'ACTIVE_HEALTHY'
  const counted = useQuery({ ...userCountQuery(p.ref), enabled: uncounted, retry: false })
  const users = p.users ?? counted.data
  return (
    <Card className="relative flex h-full flex-col p-4 transition-colors hover:border-line-strong">
      <div className="flex items-start gap-2">
        <h2 className="min-w-0 flex-1 font-medium">
          <Link to="/p/$ref" params={{ ref: p.ref }} className="line-clamp-2 text-left break-words after:absolute after:inset-0 after:rounded" dir="auto" title={p.name.length > 60 ? p.name : undefined}>
            {p.name}
          </Link>
        </h2>
        {p.branch_of && <Badge tone="info">{t.branch}</Badge>}
        {p.expires_at && (
          <Badge tone="warn">
            <span>
              {t.ends} <Time at={p.expires_at} />
            </span>
          </Badge>
        )}
      </div>
      <p className="truncate font-mono text-xs text-text-3">{p.ref}</p>
      <div className="mt-auto flex min-h-10 items-end justify-between gap-3 pt-4">
        <Status tone={tones[p.status] ?? 'warn'}>{t.states[p.status] ?? p.status}</Status>
        {p.sign_ins.total > 0 && <Sparkline values={p.sign_ins.days ?? []} label={t.signInsOf(formatNumber(p.sign_ins.total))} />}
      </div>
      <dl className="mt-2 grid grid-cols-3 gap-3 border-t border-line pt-2 text-sm">
        <Figure label={t.users}>{uncounted && counted.isPending ? <Skeleton className="h-4 w-8" /> : users === undefined ? '–' : formatNumber(users)}</Figure>
        <Figure label={t.signIns}>{formatNumber(p.sign_ins.total)}</Figure>
        <Figure label={t.lastActivity}>
          {p.last_activity_at && Date.now() - Date.parse(p.last_activity_at) < 3_600_000 ? t.thisHour : <Time at={p.last_activity_at} none={t.never} />}
        </Figure>
      </dl>
    </Card>
  )
}
