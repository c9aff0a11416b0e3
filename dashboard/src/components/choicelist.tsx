import type { ReactNode } from 'react'
import { cx } from '@/lib/cx'

type Props<Value extends string> = {
  /** The name of the group in its form. */
  name: string
  /** What is chosen, for readers. */
  label: string
  value: Value
  onChange: (value: Value) => void
  options: { value: Value; label: ReactNode; text?: ReactNode }[]
  disabled?: boolean
}

/** One of several, each with a sentence that says what it means. */
export function ChoiceList<Value extends string>({ name, label, value, onChange, options, disabled }: Props<Value>) {
  return (
    <fieldset disabled={disabled} className="divide-y divide-line overflow-hidden rounded border border-line bg-surface">
      <legend className="sr-only">{label}</legend>
      {options.map((o) => (
        <label key={o.value} className={cx('flex items-start gap-2.5 px-3 py-2', !disabled && 'cursor-pointer', o.value === value && 'bg-accent-soft')}>
          <input type="radio" name={name} value={o.value} checked={o.value === value} onChange={() => onChange(o.value)} className="mt-1 accent-accent" />
          <span className="min-w-0">
            <span className="block font-medium break-words">{o.label}</span>
            {o.text && <span className="block text-sm text-text-2">{o.text}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  )
}
