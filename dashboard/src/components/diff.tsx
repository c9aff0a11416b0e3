import { useState, type ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { lineDiff } from '@/lib/linediff'
import { common } from '@/strings/common'
import { Button } from './button'
import { ErrorNote } from './error'

export type Change = { name: string; label?: string; before: unknown; after: unknown; secret?: boolean }

const empty = (value: unknown) => value === null || value === undefined || value === ''
const show = (value: unknown) => (empty(value) ? '∅' : typeof value === 'string' ? value : JSON.stringify(value))

/** Two texts of several lines: what goes and what comes, with the lines around. */
function Lines({ before, after }: { before: string; after: string }) {
  return (
    <span className="block max-h-80 overflow-auto rounded border border-line bg-sunken py-1">
      {lineDiff(before, after).map((h, i) =>
        'skipped' in h ? (
          <span key={i} className="block px-2 text-text-3">
            ⋯ {common.unchangedLines(h.skipped)}
          </span>
        ) : (
          <span key={i} className={cx('block px-2 break-all whitespace-pre-wrap', h.kind === 'gone' && 'bg-danger-soft text-danger', h.kind === 'new' && 'bg-ok-soft text-ok')}>
            {h.kind !== 'same' && <span className="sr-only">{h.kind === 'gone' ? common.before : common.after}</span>}
            {{ same: '  ', gone: '− ', new: '+ ' }[h.kind]}
            {h.text}
          </span>
        ),
      )}
    </span>
  )
}

function Values({ before, after, secret }: Change) {
  if (!secret && [before, after].some((v) => typeof v === 'string' && v.includes('\n'))) return <Lines before={String(before ?? '')} after={String(after ?? '')} />
  const shown = (value: unknown) => (secret && !empty(value) ? '••••' : show(value))
  return (
    <>
      <del className="bg-danger-soft text-danger no-underline">
        <span className="sr-only">{common.before}</span>− {shown(before)}
      </del>
      <br />
      <ins className="bg-ok-soft text-ok no-underline">
        <span className="sr-only">{common.after}</span>+ {secret && !empty(before) && !empty(after) ? `•••• (${common.secret.fresh})` : shown(after)}
      </ins>
    </>
  )
}

/** What a change replaces, line by line. */
export function DiffList({ changes }: { changes: Change[] }) {
  return (
    <ul className="divide-y divide-line">
      {changes.map((c) => (
        <li key={c.name} className="grid gap-x-4 py-1.5 sm:grid-cols-[minmax(0,220px)_minmax(0,1fr)]">
          <span className="min-w-0 font-medium break-words" title={c.name}>
            {c.label ?? c.name}
          </span>
          <span className="min-w-0 font-mono text-sm break-words">
            <Values {...c} />
          </span>
        </li>
      ))}
    </ul>
  )
}

type BarProps = {
  changes: Change[]
  /** Warnings of the server about the change. */
  warnings?: string[]
  saving?: boolean
  error?: unknown
  /** Why it cannot be saved as it is. */
  blocked?: boolean
  onSave: () => void
  onDiscard: () => void
  /** A field beside the buttons: a reason. */
  aside?: ReactNode
  /** What else stands in the bar: what somebody else changed. */
  children?: ReactNode
}

/** The bar at the bottom of a form with changes: the diff, Save or Discard. */
export function DiffBar({ changes, warnings = [], saving, error, blocked, onSave, onDiscard, aside, children }: BarProps) {
  // On a phone the bar would cover what is edited: there the diff and the field beside wait until asked for.
  const [wide] = useState(() => window.matchMedia('(min-width: 640px)').matches)
  if (changes.length === 0) return null
  return (
    <div role="region" aria-label={common.changes(changes.length)} className="group sticky bottom-2 sm:bottom-4 z-30 mt-6 max-h-[calc(100dvh-32px)] overflow-y-auto rounded border border-line-strong bg-raised shadow-float">
      {error !== undefined && error !== null && (
        <div className="px-4 pt-3">
          <ErrorNote error={error} />
        </div>
      )}
      {warnings.length > 0 && (
        <ul role="status" className="space-y-1 px-4 pt-3">
          {warnings.map((w) => (
            <li key={w} className="rounded bg-warn-soft px-3 py-1.5 text-warn">
              {w}
            </li>
          ))}
        </ul>
      )}
      {children && <div className="space-y-3 px-4 pt-3">{children}</div>}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2 sm:py-2.5">
        <span className="flex-1 font-medium sm:flex-none">{common.changes(changes.length)}</span>
        <div className={cx('order-last basis-full sm:order-none sm:block sm:min-w-40 sm:flex-1 sm:basis-0', aside ? 'hidden group-has-[details[open]]:block' : 'hidden')}>{aside}</div>
        <Button onClick={onDiscard} disabled={saving}>
          {common.discard}
        </Button>
        <Button kind="primary" onClick={onSave} busy={saving} disabled={blocked}>
          {common.save}
        </Button>
      </div>
      <details className="border-t border-line" open={wide && changes.length <= 3}>
        <summary className="cursor-pointer px-4 py-1.5 text-sm text-text-2">{common.showDiff}</summary>
        <div className="max-h-[30dvh] overflow-y-auto px-4 pb-1">
          <DiffList changes={changes} />
        </div>
      </details>
    </div>
  )
}
