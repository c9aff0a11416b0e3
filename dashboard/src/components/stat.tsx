import type { ReactNode } from 'react'
import { common } from '@/strings/common'
import { formatNumber } from '@/lib/format'
import { cx } from '@/lib/cx'
import { Skeleton } from './state'

type Props = { label: string; value?: number; before?: number; help?: ReactNode; /** Whether more is worse. */ inverse?: boolean }

/** A number with its change to the period before. */
export function Stat({ label, value, before, help, inverse }: Props) {
  const change = value !== undefined && before ? Math.round(((value - before) / before) * 100) : undefined
  const good = change === undefined || change === 0 ? undefined : change > 0 !== Boolean(inverse)
  return (
    <div className="min-w-0">
      <p className="text-sm text-text-2">{label}</p>
      <p className="tabular text-xl font-semibold">{value === undefined ? <Skeleton className="my-1 h-5 w-16" /> : formatNumber(value)}</p>
      <p className="text-xs text-text-3">
        {change !== undefined && (
          <span className={cx('mr-1 font-medium', good === true && 'text-ok', good === false && 'text-danger')}>
            {change > 0 ? '+' : ''}
            {change} %
          </span>
        )}
        {help ?? (change !== undefined && common.thanBefore)}
      </p>
    </div>
  )
}
