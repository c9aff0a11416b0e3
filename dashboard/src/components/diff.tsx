import { common } from '@/strings/common'
import { Button } from './button'
import { ErrorNote } from './error'

export type Change = { name: string; label?: string; before: unknown; after: unknown; secret?: boolean }

const show = (value: unknown) => (value === null || value === undefined || value === '' ? '∅' : typeof value === 'string' ? value : JSON.stringify(value))

/** What a change replaces, line by line. */
export function DiffList({ changes }: { changes: Change[] }) {
  return (
    <ul className="divide-y divide-line">
      {changes.map((c) => (
        <li key={c.name} className="grid gap-x-4 py-1.5 sm:grid-cols-[minmax(0,220px)_1fr]">
          <span className="min-w-0 truncate font-medium" title={c.name}>
            {c.label ?? c.name}
          </span>
          <span className="min-w-0 font-mono text-sm break-words">
            <del className="bg-danger-soft text-danger no-underline">
              <span className="sr-only">{common.before}</span>− {c.secret ? '••••' : show(c.before)}
            </del>
            <br />
            <ins className="bg-ok-soft text-ok no-underline">
              <span className="sr-only">{common.after}</span>+ {c.secret ? '••••' : show(c.after)}
            </ins>
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
  onSave: () => void
  onDiscard: () => void
}

/** The bar at the bottom of a form with changes: the diff, Save or Discard. */
export function DiffBar({ changes, warnings = [], saving, error, onSave, onDiscard }: BarProps) {
  if (changes.length === 0) return null
  return (
    <div role="region" aria-label={common.changes(changes.length)} className="sticky bottom-4 z-30 mt-6 rounded border border-line-strong bg-raised shadow-float">
      {error !== undefined && error !== null && (
        <div className="px-4 pt-3">
          <ErrorNote error={error} />
        </div>
      )}
      {warnings.map((w) => (
        <p key={w} className="mx-4 mt-3 rounded bg-warn-soft px-3 py-1.5 text-warn">
          {w}
        </p>
      ))}
      <details className="group" open={changes.length <= 3}>
        <summary className="flex cursor-pointer list-none flex-wrap items-center gap-3 px-4 py-2.5">
          <span className="flex-1 font-medium">{common.changes(changes.length)}</span>
          <Button onClick={onDiscard} disabled={saving}>
            {common.discard}
          </Button>
          <Button kind="primary" onClick={onSave} busy={saving}>
            {common.save}
          </Button>
        </summary>
        <div className="max-h-[40dvh] overflow-y-auto border-t border-line px-4 py-1">
          <DiffList changes={changes} />
        </div>
      </details>
    </div>
  )
}
