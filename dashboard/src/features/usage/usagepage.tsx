import { useQuery } from '@tanstack/react-query'
import { Chart } from '@/components/chart'
import type { Series } from '@/components/chartcode'
import { ErrorState } from '@/components/error'
import { Card, Section } from '@/components/page'
import { Stat } from '@/components/stat'
import { Skeleton } from '@/components/state'
import type { Schema } from '@/lib/api/client'
import { home } from '@/strings/home'
import { usage } from '@/strings/usage'
import { orgUsageQuery } from './orgusage'

type Point = Schema<'UsagePoint'>
const colours = ['accent', 'info', 'warn', 'ok', 'text-3'] as const

const sum = (points: Point[], of: (p: Point) => number) => points.reduce((total, p) => total + of(p), 0)

/** How much the projects of an organization are used, with the period before. */
export function OrgUsage({ slug, days }: { slug: string; days: number }) {
  const found = useQuery(orgUsageQuery(slug, days))
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />
  const points = found.data?.points ?? []
  const before = points.slice(0, -days)
  const now = points.slice(-days)
  const stat = (label: string, of: (p: Point) => number, inverse = false) => <Stat label={label} inverse={inverse} value={found.data && sum(now, of)} before={sum(before, of)} />
  const methods = [...new Set(now.flatMap((p) => Object.keys(p.sign_ins_by_method)))].slice(0, colours.length)
  const series: Series[] = methods.map((key, i) => ({ key, label: home.methods[key] ?? key.replaceAll('_', ' '), colour: colours[i] }))
  return (
    <>
      <Card className="mb-8 grid grid-cols-2 gap-x-6 gap-y-5 p-5 sm:grid-cols-3 lg:grid-cols-6">
        <Stat label={usage.activeUsers} value={found.data && Math.max(0, ...now.map((p) => p.active_users))} before={Math.max(0, ...before.map((p) => p.active_users))} help={usage.activeUsersHelp} />
        {stat(usage.signUps, (p) => p.sign_ups)}
        {stat(usage.signIns, (p) => p.sign_ins)}
        {stat(usage.refusals, (p) => p.refusals, true)}
        {stat(usage.mails, (p) => p.mails_sent)}
        {stat(usage.texts, (p) => p.texts_sent)}
      </Card>
      <Section title={usage.activePerDay} description={usage.exact}>
        {found.data ? <Chart label={usage.activePerDay} points={now.map((p) => ({ at: p.at, users: p.active_users }))} series={[{ key: 'users', label: usage.activeUsers }]} /> : <Skeleton className="h-52 w-full" />}
      </Section>
      {methods.length > 0 && (
        <Section title={usage.signInsByMethod}>
          <Chart label={usage.signInsByMethod} points={now.map((p) => ({ at: p.at, ...p.sign_ins_by_method }))} series={series} bars legend />
        </Section>
      )}
    </>
  )
}
