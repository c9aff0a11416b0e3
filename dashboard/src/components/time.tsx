import { useEffect, useState } from 'react'
import { formatExact, formatRelative } from '@/lib/format'
import { Tooltip } from './tooltip'

/** A time, relative to now; the exact one on hover and for readers. */
export function Time({ at, none = '–' }: { at: string | null | undefined; none?: string }) {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 30_000)
    return () => clearInterval(timer)
  }, [])
  if (!at) return <span className="text-text-3">{none}</span>
  return (
    <Tooltip text={formatExact(at)}>
      <time dateTime={at} className="tabular whitespace-nowrap">
        {formatRelative(at)}
      </time>
    </Tooltip>
  )
}
