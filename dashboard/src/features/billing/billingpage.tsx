import { useQuery } from '@tanstack/react-query'
import { CreditCard, Users } from 'lucide-react'
import { Chart } from '@/components/chart'
import type { Series } from '@/components/chartcode'
import { ErrorState } from '@/components/error'
import { Card, Section } from '@/components/page'
import { Stat } from '@/components/stat'
import { Badge, EmptyState, Skeleton } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { formatMoney, formatNumber, formatPrice } from '@/lib/format'
import { billing as t } from '@/strings/billing'
import { billQuery, type Bill } from './billing'
import { CountedUsers } from './countedusers'

type Line = Schema<'BillingLine'>
type Use = Schema<'BillingProjectUse'>

const colours = { first_party: 'accent', sso: 'info', third_party: 'warn', anonymous: 'ok', test: 'text-3' } as const
const kinds = Object.keys(colours) as (keyof typeof colours)[]
const users = (p: Use) => Object.values(p.users).reduce((sum, n) => sum + n, 0)

type Props = { slug: string; period?: string; open?: string; onOpen: (ref?: string) => void }

/** What an organization used in a billing period, and what that costs. */
export function Billing({ slug, period, open, onOpen }: Props) {
  const found = useQuery(billQuery(slug, period))
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />
  const bill = found.data
  const projects = bill?.projects ?? undefined
  const opened = projects?.find((p) => p.ref === open)
  const sold = bill && bill.plan.id !== 'unlimited' // without prices there is nothing to say of money
  const total = projects?.reduce((sum, p) => sum + users(p), 0)
  return (
    <>
      <Card className="mb-8 grid grid-cols-2 gap-x-6 gap-y-5 p-5 sm:grid-cols-4">
        <Stat label={t.activeUsers} value={total} />
        {sold && <Money label={t.total} cents={bill.amount.total} />}
        {sold && bill.projected && <Money label={t.projected} cents={bill.projected.total} help={t.projectedHelp} />}
        <div className="min-w-0">
          <p className="text-sm text-text-2">{t.plan}</p>
          {bill ? <p className="truncate text-xl font-semibold">{bill.plan.name}</p> : <Skeleton className="mt-1 h-7 w-24" />}
          {bill?.plan.id === 'unlimited' && <p className="text-xs text-text-3">{t.unlimited}</p>}
        </div>
      </Card>
      <Section title={t.meters.title}>
        <Table label={t.meters.title} columns={sold ? lineColumns : lineColumns.slice(0, 2)} rows={bill && (bill.amount.lines ?? [])} rowKey={(l) => l.meter} empty={null} maxHeight="none" />
      </Section>
      <Section title={t.days.title} description={t.days.text}>
        {bill ? <NewUsers bill={bill} none={total === 0} /> : <Skeleton className="h-52 w-full" />}
      </Section>
      <Section title={t.projects.title}>
        <Table
          label={t.projects.title}
          columns={projectColumns}
          rows={projects}
          rowKey={(p) => p.ref}
          onOpen={(p) => !p.deleted && onOpen(p.ref)}
          empty={
            <EmptyState icon={CreditCard} title={t.projects.empty}>
              <p>{t.projects.emptyText}</p>
            </EmptyState>
          }
        />
      </Section>
      {bill && opened && <CountedUsers project={opened} period={bill.period.start} onClose={() => onOpen(undefined)} />}
    </>
  )
}

function NewUsers({ bill, none }: { bill: Bill; none: boolean }) {
  if (!none) return <Chart label={t.days.title} points={pointsOf(bill)} series={seriesOf(bill)} bars legend />
  return (
    <EmptyState icon={Users} title={t.days.empty}>
      <p>{t.days.emptyText}</p>
    </EmptyState>
  )
}

function Money({ label, cents, help }: { label: string; cents: number; help?: string }) {
  return (
    <div className="min-w-0">
      <p className="text-sm text-text-2">{label}</p>
      <p className="text-xl font-semibold tabular-nums">{formatMoney(cents)}</p>
      {help && <p className="text-xs text-text-3">{help}</p>}
    </div>
  )
}

const lineColumns: Column<Line>[] = [
  { id: 'meter', header: t.meters.columns.meter, width: 'minmax(180px,2fr)', narrow: 'minmax(0,2fr)', cell: (l) => t.meters.names[l.meter] ?? l.meter },
  { id: 'used', header: t.meters.columns.used, width: '120px', narrow: '88px', align: 'right', cell: (l) => formatNumber(l.quantity) },
  { id: 'included', header: t.meters.columns.included, width: '120px', narrow: 'hidden', align: 'right', cell: (l) => (l.included === null ? <span className="text-text-3">{t.meters.noLimit}</span> : formatNumber(l.included)) },
  { id: 'more', header: t.meters.columns.more, width: '100px', narrow: 'hidden', align: 'right', cell: (l) => formatNumber(l.billable + l.over) },
  { id: 'price', header: t.meters.columns.price, width: '150px', narrow: 'hidden', align: 'right', cell: (l) => (l.included === null ? '–' : l.price === '0' ? <span className="text-text-3">{t.meters.notSold}</span> : formatPrice(l.price)) },
  { id: 'amount', header: t.meters.columns.amount, width: '110px', narrow: '88px', align: 'right', cell: (l) => formatMoney(l.amount) },
]

const projectColumns: Column<Use>[] = [
  {
    id: 'name',
    header: t.projects.columns.name,
    width: 'minmax(180px,2fr)',
    narrow: 'minmax(0,1fr)',
    cell: (p) => (
      <span className="flex min-w-0 items-center gap-2">
        <span className="truncate" title={p.name}>
          {p.name}
        </span>
        {p.deleted && <Badge>{t.projects.deleted}</Badge>}
      </span>
    ),
  },
  { id: 'users', header: t.projects.columns.users, width: '120px', narrow: '112px', align: 'right', cell: (p) => formatNumber(users(p)) },
  {
    id: 'kinds',
    header: t.projects.columns.kinds,
    width: 'minmax(200px,2fr)',
    narrow: 'hidden',
    cell: (p) =>
      kinds
        .filter((k) => p.users[k])
        .map((k) => `${t.kinds[k]} ${formatNumber(p.users[k] ?? 0)}`)
        .join(', ') || '–',
  },
  { id: 'counted', header: t.projects.columns.counted, width: '120px', narrow: 'hidden', cell: (p) => <Time at={p.counted_at} /> },
]

/** The days of the period so far, with the new users of each kind. */
function pointsOf(bill: Bill) {
  const end = Math.min(Date.parse(bill.period.end), Date.now())
  const days = new Map<string, Record<string, number>>()
  for (let at = Date.parse(bill.period.start); at < end; at += 86_400_000) days.set(new Date(at).toISOString().slice(0, 10), {})
  for (const d of bill.days ?? []) {
    const day = days.get(d.day)
    if (day) day[d.kind] = (day[d.kind] ?? 0) + d.users
  }
  return [...days].map(([at, n]) => ({ at, ...Object.fromEntries(kinds.map((k) => [k, n[k] ?? 0])) }))
}

function seriesOf(bill: Bill): Series[] {
  const seen = new Set((bill.days ?? []).map((d) => d.kind))
  return kinds.filter((k) => k === 'first_party' || seen.has(k)).map((key) => ({ key, label: t.kinds[key] ?? key, colour: colours[key] }))
}
