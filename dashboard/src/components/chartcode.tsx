import { Area, AreaChart, Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import { formatCompact, formatDay, formatExact, formatNumber } from '@/lib/format'

export type Series = { key: string; label: string; /** A colour by its name in the theme. */ colour?: 'accent' | 'danger' | 'warn' | 'info' | 'ok' | 'text-3' }
export type Point = { at: string } & Record<string, number | string | null>

export type ChartProps = {
  /** What the chart shows, for readers. */
  label: string
  points: Point[]
  /** One is an area; several are stacked bars. */
  series: Series[]
  /** Points are hours rather than days. */
  hourly?: boolean
  height?: number
  /** The same in the period before, as a dashed line; of an area. */
  compare?: { key: string; label: string }
  /** Bars for one series too. */
  bars?: boolean
  /** Names the colours below, with the sum of each series. */
  legend?: boolean
}

/** The chart itself: Recharts. A table has the same numbers for readers. */
export default function ChartCode({ label, points, series, hourly, height = 208, compare, bars, legend }: ChartProps) {
  const tick = { fontSize: 12, fill: 'var(--text-3)' }
  const axis = hourly ? (at: string) => new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' }) : formatDay
  const parts = (
    <>
      <CartesianGrid vertical={false} stroke="var(--line)" />
      <XAxis dataKey="at" tickFormatter={axis} tick={tick} axisLine={false} tickLine={false} minTickGap={48} />
      <YAxis tickFormatter={formatCompact} tick={tick} axisLine={false} tickLine={false} width={40} allowDecimals={false} tickCount={4} />
      <Tooltip
        cursor={{ stroke: 'var(--line-strong)', fill: 'var(--sunken)' }}
        isAnimationActive={false}
        labelFormatter={(at) => (hourly ? formatExact(String(at)) : formatDay(String(at)))}
        formatter={(value, name) => [typeof value === 'number' ? formatNumber(value) : '–', name]}
        contentStyle={{ background: 'var(--raised)', border: '1px solid var(--line)', borderRadius: 6, fontSize: 13, color: 'var(--text)' }}
        itemStyle={{ color: 'var(--text)' }}
      />
    </>
  )
  const margin = { top: 8, right: 8, bottom: 0, left: 0 }
  const only = series.length === 1 && !bars ? series[0] : undefined
  return (
    <figure aria-label={label} className="tabular relative overflow-hidden">
      <div aria-hidden style={{ height }}>
        <ResponsiveContainer width="100%" height="100%">
          {only ? (
            <AreaChart data={points} margin={margin} accessibilityLayer={false}>
              {parts}
              {compare && <Area dataKey={compare.key} name={compare.label} type="monotone" stroke="var(--text-3)" strokeWidth={1} strokeDasharray="4 3" fill="none" isAnimationActive={false} connectNulls={false} />}
              <Area dataKey={only.key} name={only.label} type="monotone" stroke={`var(--${only.colour ?? 'accent'})`} strokeWidth={1.5} fill={`var(--${only.colour ?? 'accent'})`} fillOpacity={0.12} isAnimationActive={false} connectNulls={false} />
            </AreaChart>
          ) : (
            <BarChart data={points} margin={margin} accessibilityLayer={false} barCategoryGap="25%">
              {parts}
              {series.map((s) => (
                <Bar key={s.key} dataKey={s.key} name={s.label} stackId="all" fill={`var(--${s.colour ?? 'accent'})`} fillOpacity={0.75} isAnimationActive={false} />
              ))}
            </BarChart>
          )}
        </ResponsiveContainer>
      </div>
      {legend && (
        <ul aria-hidden className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 pl-10 text-sm text-text-2">
          {series.map((s) => (
            <li key={s.key} className="inline-flex min-w-0 items-center gap-1.5">
              <span className="size-2 shrink-0 rounded-full" style={{ background: `var(--${s.colour ?? 'accent'})` }} />
              <span className="min-w-0 break-words">{s.label}</span>
              <span className="font-medium text-text">{formatNumber(points.reduce((sum, p) => sum + Number(p[s.key] ?? 0), 0))}</span>
            </li>
          ))}
        </ul>
      )}
      <table className="sr-only">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col" />
            {[...series, ...(compare ? [compare] : [])].map((s) => (
              <th key={s.key} scope="col">
                {s.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.map((p) => (
            <tr key={p.at}>
              <th scope="row">{hourly ? formatExact(p.at) : formatDay(p.at)}</th>
              {[...series, ...(compare ? [compare] : [])].map((s) => (
                <td key={s.key}>{p[s.key] ?? '–'}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}
