import type { LucideIcon } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'

export type Tone = 'ok' | 'warn' | 'danger' | 'info' | 'neutral'

const dots: Record<Tone, string> = { ok: 'bg-ok', warn: 'bg-warn', danger: 'bg-danger', info: 'bg-info', neutral: 'bg-text-3' }
const badges: Record<Tone, string> = {
  ok: 'bg-ok-soft text-ok',
  warn: 'bg-warn-soft text-warn',
  danger: 'bg-danger-soft text-danger',
  info: 'bg-info-soft text-info',
  neutral: 'bg-sunken text-text-2',
}

/** A state as a dot with its word. */
export function Status({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <span className={cx('size-2 shrink-0 rounded-full', dots[tone])} aria-hidden />
      {children}
    </span>
  )
}

/** A short word about a thing. */
export function Badge({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={cx('inline-flex items-center rounded-sm px-1.5 text-xs leading-5 font-medium whitespace-nowrap', badges[tone])}>{children}</span>
}

/** A sentence that stands out, above what it is about. */
export function Notice({ tone = 'info', icon: Icon, children, action }: { tone?: Tone; icon?: LucideIcon; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={cx('flex flex-wrap items-center gap-x-3 gap-y-2 rounded px-3 py-2', badges[tone])}>
      {Icon && <Icon className="size-4 shrink-0" strokeWidth={1.5} aria-hidden />}
      <div className="min-w-0 flex-1 basis-52 text-text">{children}</div>
      {action}
    </div>
  )
}

/** What a page shows in place of rows that it does not have. */
export function EmptyState({ icon: Icon, title, children, action }: { icon?: LucideIcon; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-4 py-12 text-center">
      {Icon && <Icon className="size-6 text-text-3" strokeWidth={1.5} aria-hidden />}
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <div className="w-full space-y-3 text-text-2">{children}</div>}
      {action}
    </div>
  )
}

/** The place of a text that is on its way. */
export function Skeleton({ className }: { className?: string }) {
  return <span className={cx('block animate-pulse rounded-sm bg-line', className ?? 'h-4 w-full')} aria-hidden />
}
