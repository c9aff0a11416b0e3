import { useEffect, useState, type ComponentProps } from 'react'
import { formatDuration, parseDuration } from '@/lib/format'
import { Input } from './input'

const sizes = { seconds: 1, hours: 3600, days: 86_400 }
export type DurationUnit = keyof typeof sizes

/** A count of a unit as people write it: "2h 30m"; 0 stays "0". */
export const showDuration = (n: number, unit: DurationUnit) => (n === 0 ? '0' : formatDuration(n * sizes[unit]))

/** The count of a unit in a text; a bare number counts the unit itself. Undefined for no duration. */
export function readDuration(text: string, unit: DurationUnit): number | undefined {
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) return Number(trimmed)
  const seconds = parseDuration(trimmed)
  return seconds === undefined ? undefined : seconds / sizes[unit]
}

type Props = Omit<ComponentProps<'input'>, 'value' | 'onChange'> & { value: unknown; unit: DurationUnit; onChange: (value: number | string) => void }

/** A duration that accepts "15m", "2h 30m" and a bare number of its unit. A text that is none is handed on as it is. */
export function DurationInput({ value, unit, onChange, onBlur, ...rest }: Props) {
  const shown = typeof value === 'number' ? showDuration(value, unit) : String(value ?? '')
  const [text, setText] = useState(shown)
  useEffect(() => {
    setText((old) => (readDuration(old, unit) === value ? old : shown))
  }, [shown, unit, value])
  return (
    <Input
      {...rest}
      value={text}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => {
        setText(event.target.value)
        onChange(readDuration(event.target.value, unit) ?? event.target.value)
      }}
      onBlur={(event) => {
        setText(shown)
        onBlur?.(event)
      }}
    />
  )
}
