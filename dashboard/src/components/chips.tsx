import { ListFilter, X } from 'lucide-react'
import { cx } from '@/lib/cx'
import { common } from '@/strings/common'
import { Menu } from './menu'

export type FilterChoice = { key: string; label: string; options: { value: string; label: string }[] }

type Props = {
  label: string
  filters: FilterChoice[]
  value: Record<string, string | undefined>
  /** Sets one filter; undefined takes it away. */
  onChange: (key: string, value: string | undefined) => void
}

/** Filters as chips: each opens a menu with its values, and can be taken away. */
export function FilterChips({ label, filters, value, onChange }: Props) {
  return (
    <div role="group" aria-label={label} className="flex flex-wrap items-center gap-1.5">
      {filters.map((f) => {
        const chosen = value[f.key]
        const word = chosen === undefined ? undefined : (f.options.find((o) => o.value === chosen)?.label ?? chosen)
        return (
          <span key={f.key} className={cx('inline-flex h-7 max-w-full min-w-0 items-center rounded-full border text-sm', word ? 'border-accent bg-accent-soft' : 'border-dashed border-line-strong/60 text-text-2')}>
            <Menu
              align="start"
              items={f.options.map((o) => ({ label: o.label, checked: o.value === chosen, onSelect: () => onChange(f.key, o.value === chosen ? undefined : o.value) }))}
              trigger={
                <button type="button" className={cx('flex h-full min-w-0 items-center gap-1.5 rounded-full pl-2.5 hover:text-text', word ? 'pr-1' : 'pr-2.5')}>
                  {!word && <ListFilter className="size-3.5 shrink-0" strokeWidth={1.5} aria-hidden />}
                  <span className="shrink-0">{f.label}</span>
                  {word && <span className="truncate font-medium text-text">{word}</span>}
                </button>
              }
            />
            {word && (
              <button type="button" aria-label={common.removeFilter(f.label)} onClick={() => onChange(f.key, undefined)} className="mr-1 flex size-5 shrink-0 items-center justify-center rounded-full hover:bg-surface">
                <X className="size-3.5" strokeWidth={1.5} aria-hidden />
              </button>
            )}
          </span>
        )
      })}
    </div>
  )
}
