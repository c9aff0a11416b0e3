import { Search } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { cx } from '@/lib/cx'
import { Input, Select } from './input'

/** A row of filters above a table. */
export function Filters({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="search" aria-label={label} className="mb-3 flex flex-wrap items-center gap-2">
      {children}
    </div>
  )
}

type Props = { label: string; value: string; onChange: (value: string) => void; placeholder?: string; /** The field that "/" leads to. */ main?: boolean; mono?: boolean; className?: string; list?: string[]; maxLength?: number }

/** A filter that is typed: it takes effect when the typing rests, and by Enter. */
export function FilterInput({ label, value, onChange, placeholder = label, main, mono, className, list, maxLength = 200 }: Props) {
  const [text, setText] = useState(value)
  const sent = useRef(value)
  const latest = useRef(onChange)
  latest.current = onChange
  useEffect(() => {
    // Only what came from elsewhere replaces what is typed.
    if (value !== sent.current) {
      sent.current = value
      setText(value)
    }
  }, [value])
  useEffect(() => {
    if (text.trim() === sent.current) return
    const timer = setTimeout(() => {
      sent.current = text.trim()
      latest.current(sent.current)
    }, 350)
    return () => clearTimeout(timer)
  }, [text])
  const id = list && `list-${label.replaceAll(/\W+/g, '-')}`
  return (
    <span className={cx('relative inline-block', className ?? (main ? 'w-full sm:w-72' : 'w-[calc(50%-4px)] sm:w-44'))}>
      {main && <Search className="pointer-events-none absolute top-2 left-2 size-4 text-text-3" strokeWidth={1.5} aria-hidden />}
      <Input
        type={main ? 'search' : 'text'}
        aria-label={label}
        placeholder={placeholder}
        value={text}
        maxLength={maxLength}
        list={id}
        spellCheck={false}
        autoComplete="off"
        className={cx(main && 'pl-8', mono && 'font-mono text-sm')}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => {
          if (e.key !== 'Enter') return
          sent.current = text.trim()
          onChange(sent.current)
        }}
      />
      {list && (
        <datalist id={id}>
          {list.map((text) => (
            <option key={text} value={text} />
          ))}
        </datalist>
      )}
    </span>
  )
}

/** A filter with choices; the empty one is no filter. */
export function FilterSelect({ label, value, onChange, all, options, className = 'w-[calc(50%-4px)] sm:w-40' }: { label: string; value: string; onChange: (value: string) => void; all?: string; options: { value: string; label: string }[]; className?: string }) {
  return (
    <Select aria-label={label} value={value} onChange={(e) => onChange(e.target.value)} className={className}>
      {all !== undefined && <option value="">{all}</option>}
      {options.map((o) => (
        <option key={o.value} value={o.value}>
          {o.label}
        </option>
      ))}
    </Select>
  )
}
