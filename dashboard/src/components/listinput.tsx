import { X } from 'lucide-react'
import { useState, type ComponentProps } from 'react'
import { common } from '@/strings/common'
import { cx } from '@/lib/cx'

/** The entries of a text that has commas between them. */
export const entriesOf = (text: unknown) =>
  String(text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)

type Props = Pick<ComponentProps<'input'>, 'id' | 'aria-describedby' | 'aria-invalid' | 'placeholder' | 'disabled'> & { value: string[]; onChange: (value: string[]) => void; /** Whether entries may have spaces. */ spaces?: boolean }

/** Short entries, added by Enter or a comma; Backspace in the empty field removes the last one. */
export function ListInput({ value, onChange, disabled, spaces, ...rest }: Props) {
  const [text, setText] = useState('')
  const add = (more: string) => {
    const fresh = entriesOf(spaces ? more : more.replaceAll(/\s+/g, ',')).filter((entry) => !value.includes(entry))
    if (fresh.length > 0) onChange([...value, ...fresh])
    setText('')
  }
  return (
    <span className={cx('flex min-h-8 w-full flex-wrap items-center gap-1 rounded border bg-surface px-1.5 py-1 focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-accent', rest['aria-invalid'] ? 'border-danger' : 'border-line-strong/60 hover:border-line-strong')}>
      {value.map((entry) => (
        <span key={entry} className="inline-flex max-w-full items-center gap-0.5 rounded-sm bg-sunken pl-1.5 font-mono text-sm">
          <span className="min-w-0 truncate">{entry}</span>
          <button type="button" disabled={disabled} aria-label={common.removeEntry(entry)} className="flex size-6 items-center justify-center text-text-2 hover:text-text" onClick={() => onChange(value.filter((other) => other !== entry))}>
            <X className="size-3.5" strokeWidth={1.5} aria-hidden />
          </button>
        </span>
      ))}
      <input
        {...rest}
        disabled={disabled}
        value={text}
        autoComplete="off"
        spellCheck={false}
        placeholder={value.length === 0 ? rest.placeholder : undefined}
        className="h-6 min-w-24 flex-1 bg-transparent px-1 outline-none"
        onChange={(event) => (event.target.value.includes(',') ? add(event.target.value) : setText(event.target.value))}
        onBlur={() => text && add(text)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            event.preventDefault()
            add(text)
          } else if (event.key === 'Backspace' && text === '' && value.length > 0) onChange(value.slice(0, -1))
        }}
      />
    </span>
  )
}
