import { useState } from 'react'
import { Field } from '@/components/form'
import { Input, Select } from '@/components/input'
import { parseDuration } from '@/lib/format'
import { users as t } from '@/strings/users'

const presets = ['1h', '24h', '168h', '720h', 'forever'] as const

/** A text that a person types, such as "3d", as the server reads it; undefined for no duration. */
export function banDuration(text: string): string | undefined {
  if (text === 'forever') return text
  const seconds = parseDuration(text)
  return seconds ? `${seconds}s` : undefined
}

/** Asks for how long a ban lasts. */
export function BanDuration({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [own, setOwn] = useState(false)
  return (
    <div className="space-y-2">
      <Field label={t.durations.label}>
        {(field) => (
          <Select
            {...field}
            value={own ? 'other' : value}
            onChange={(e) => {
              setOwn(e.target.value === 'other')
              onChange(e.target.value === 'other' ? '' : e.target.value)
            }}
          >
            {presets.map((p) => (
              <option key={p} value={p}>
                {t.durations[p]}
              </option>
            ))}
            <option value="other">{t.durations.other}</option>
          </Select>
        )}
      </Field>
      {own && (
        <Field label={t.durations.other} help={t.durationHelp} error={value && !banDuration(value) ? t.durationError : undefined}>
          {(field) => <Input {...field} value={value} onChange={(e) => onChange(e.target.value)} autoComplete="off" spellCheck={false} autoFocus />}
        </Field>
      )}
    </div>
  )
}
