import { useQuery } from '@tanstack/react-query'
import { Chart } from '@/components/chart'
import type { Series } from '@/components/chartcode'
import { ErrorNote } from '@/components/error'
import { Select } from '@/components/input'
import { Card, Section } from '@/components/page'
import { Stat } from '@/components/stat'
import { Skeleton } from '@/components/state'
import { events } from '@/strings/events'
import { home as t } from '@/strings/home'
import { grouped, hourly, largest, ranges, sum, usageQuery, type Point, type Range } from './usage'

const colours = ['accent', 'info', 'warn', 'ok'] as const
const reds = ['danger', 'warn', 'info', 'accent'] as const

type Props = { projectRef: string; range: Range; onRange: (range: Range) => void }

/** Sign-ups, sign-ins, refusals and active users in a range, beside the one before it. */
export function Activity({ projectRef, range, onRange }: Props) {
  const found = useQuery(usageQuery(projectRef, range))
  const u = t.usage
  const now = found.data?.now ?? []
  const before = found.data?.before ?? []
  const busiest = (points: Point[]) => Math.max(0, ...points.map((p) => p.active_users))
  const stat = (label: string, of: (p: Point) => number, inverse = false) => <Stat label={label} inverse={inverse} value={found.data && sum(now, of)} before={sum(before, of)} />
  const filter = (
    <Select aria-label={u.range} className="w-40" value={range} onChange={(e) => onRange(ranges.find((r) => r === e.target.value) ?? '30d')}>
      {ranges.map((r) => (
        <option key={r} value={r}>
          {u.ranges[r]}
        </option>
      ))}
    </Select>
  )
  return (
    <Section title={u.title} id="activity" action={filter}>
      {found.error && !found.data ? (
        <ErrorNote error={found.error} />
      ) : (
        <>
          <Card className="grid grid-cols-2 gap-x-6 gap-y-5 p-4 lg:grid-cols-4">
            {stat(u.signUps, (p) => p.sign_ups)}
            {stat(u.signIns, (p) => p.sign_ins)}
            {stat(u.failures, (p) => p.refusals, true)}
            <Stat label={u.active} value={found.data && busiest(now)} before={busiest(before)} help={u.activeHelp[hourly(range) ? 'hour' : 'day']} />
          </Card>
          <h3 className="mt-6 mb-2 font-medium">{u.activeOver}</h3>
          {found.data ? (
            <Chart label={u.activeOver} hourly={hourly(range)} points={now.map((p, i) => ({ at: p.at, users: p.active_users, before: before[i + before.length - now.length]?.active_users ?? null }))} series={[{ key: 'users', label: u.active }]} compare={{ key: 'before', label: u.before }} />
          ) : (
            <Skeleton className="h-52 w-full" />
          )}
          <div className="mt-6 grid gap-x-8 gap-y-6 lg:grid-cols-2">
            <Split title={u.byMethod} none={u.noSignIns} loaded={Boolean(found.data)} points={now} of={(p) => p.sign_ins_by_method} names={t.methods} colours={colours} hours={hourly(range)} />
            <Split title={u.byCode} none={u.noFailures} loaded={Boolean(found.data)} points={now} of={(p) => p.refusals_by_code} names={events.reasons} colours={reds} hours={hourly(range)} />
          </div>
        </>
      )}
    </Section>
  )
}

type SplitProps = { title: string; none: string; loaded: boolean; points: Point[]; of: (p: Point) => Record<string, number>; names: Record<string, string>; colours: readonly NonNullable<Series['colour']>[]; hours: boolean }

/** Counts by kind: the largest kinds, and the others together. */
function Split({ title, none, loaded, points, of, names, colours, hours }: SplitProps) {
  const keys = largest(points, of, colours.length)
  const parts = points.map((p) => ({ at: p.at, ...grouped(of(p), keys) }))
  const others = parts.some((p) => 'other' in p && Number(p.other) > 0)
  const nameOf = (key: string) => {
    const name = names[key] ?? key.replaceAll('_', ' ')
    return name.charAt(0).toUpperCase() + name.slice(1)
  }
  const series: Series[] = [...keys.map((key, i) => ({ key, label: nameOf(key), colour: colours[i] })), ...(others ? [{ key: 'other', label: t.usage.other, colour: 'text-3' as const }] : [])]
  return (
    <div className="min-w-0">
      <h3 className="mb-2 font-medium">{title}</h3>
      {!loaded ? <Skeleton className="h-40 w-full" /> : keys.length === 0 ? <p className="text-text-2">{none}</p> : <Chart label={title} legend bars hourly={hours} height={160} points={parts} series={series} />}
    </div>
  )
}
