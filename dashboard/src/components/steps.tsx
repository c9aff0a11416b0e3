import { Check, CircleMinus, TriangleAlert, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { common } from '@/strings/common'

/** Numbered steps of a task, each with its heading. */
export function Steps({ children }: { children: ReactNode }) {
  return <ol className="[counter-reset:step]">{children}</ol>
}

export function Step({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li className="relative border-l border-line pb-8 pl-8 [counter-increment:step] last:border-transparent last:pb-0">
      <span className="absolute top-0 -left-3.5 flex size-7 items-center justify-center rounded-full border border-line bg-surface text-sm font-medium before:content-[counter(step)]" aria-hidden />
      <h2 className="mb-2 pt-0.5 text-lg font-semibold">{title}</h2>
      <div className="space-y-3">{children}</div>
    </li>
  )
}

export type Check = { name: string; status: 'passed' | 'warning' | 'failed' | 'skipped'; detail?: ReactNode; /** In place of the status' own word. */ word?: string }

const looks = {
  passed: { icon: Check, colour: 'text-ok', word: common.check.passed },
  warning: { icon: TriangleAlert, colour: 'text-warn', word: common.check.warning },
  failed: { icon: X, colour: 'text-danger', word: common.check.failed },
  skipped: { icon: CircleMinus, colour: 'text-text-3', word: common.check.skipped },
}

/** What a test looked at, one line each: passed, failed, or not reached. */
export function CheckList({ label, checks }: { label: string; checks: Check[] }) {
  return (
    <ol aria-label={label} className="divide-y divide-line rounded border border-line bg-surface">
      {checks.map((check, i) => {
        const { icon: Icon, colour, word } = looks[check.status]
        return (
          <li key={i} className="flex gap-3 px-3 py-2">
            <span className={cx('flex w-20 shrink-0 items-start gap-1.5 text-sm', colour)}>
              <Icon className="mt-0.5 size-4 shrink-0" strokeWidth={1.5} aria-hidden />
              {check.word ?? word}
            </span>
            <span className="min-w-0 flex-1">
              <span className={cx('font-medium break-words', check.status === 'skipped' && 'text-text-2')}>{check.name}</span>
              {check.detail && <span className="block text-sm break-words text-text-2">{check.detail}</span>}
            </span>
          </li>
        )
      })}
    </ol>
  )
}
