import type { ReactNode } from 'react'
import { DurationInput } from '@/components/duration'
import { FormRow } from '@/components/form'
import { Input, Select, Switch, Textarea } from '@/components/input'
import { entriesOf, ListInput } from '@/components/listinput'
import { SecretInput } from '@/components/secretinput'
import { settings as t } from '@/strings/settings'
import type { Setting } from './description'
import { sayNeed, unmet } from './needs'
import { useSettings } from './settings'
import { choiceOf, isDuration, labelOf } from './words'

/** Texts that are lists with commas. */
const lists = new Set(['security_email_domains_allowed', 'security_email_domains_blocked', 'security_email_disposable_exceptions', 'sms_allowed_countries', 'sms_test_otp'])
const isList = (name: string) => lists.has(name) || name.endsWith('_additional_client_ids')

type Control = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }
type Edit = { setting: Setting; value: unknown; saved: unknown; edited: boolean; set: (value: unknown) => void }

function control({ setting: s, value, saved, edited, set }: Edit, field: Control): ReactNode {
  if (s.secret) return <SecretInput {...field} fingerprint={typeof saved === 'string' ? saved : undefined} value={edited ? String(value ?? '') : undefined} onChange={(next) => set(next === undefined ? saved : next)} />
  if (s.type === 'boolean') return <Switch id={field.id} aria-describedby={field['aria-describedby']} checked={value === true} onCheckedChange={set} />
  if ((s.choices?.length ?? 0) > 0) {
    return (
      <Select {...field} value={String(value ?? '')} onChange={(event) => set(event.target.value)}>
        {s.choices?.map((choice) => (
          <option key={choice} value={choice}>
            {choiceOf(s, choice)}
          </option>
        ))}
      </Select>
    )
  }
  if (isDuration(s.unit)) return <DurationInput {...field} unit={s.unit} value={value} onChange={set} placeholder={t.durationHint} className="max-w-40" />
  if (s.type !== 'string') {
    return <Input {...field} inputMode="numeric" className="tabular max-w-40" value={String(value ?? '')} onChange={(event) => set(/^-?\d+$/.test(event.target.value) ? Number(event.target.value) : event.target.value)} />
  }
  if (isList(s.name)) return <ListInput {...field} value={entriesOf(value)} onChange={(next) => set(next.join(','))} />
  if (s.multiline) return <Textarea {...field} value={String(value ?? '')} onChange={(event) => set(event.target.value)} />
  return <Input {...field} value={String(value ?? '')} spellCheck={false} autoComplete="off" onChange={(event) => set(event.target.value)} />
}

/** A setting with its control, made of what the server says about it. */
export function SettingRow({ name, label, help, aside, without }: { name: string; label?: string; help?: ReactNode; aside?: ReactNode; /** A setting whose being off the page shows anyway. */ without?: string }) {
  const settings = useSettings()
  const setting = settings.setting(name)
  if (!setting) return null
  const value = settings.value(name)
  const need = unmet(setting, settings.value)
  const fallback = setting.default ?? (setting.type === 'string' ? '' : null)
  return (
    <FormRow
      label={label ?? labelOf(setting)}
      help={help ?? setting.doc}
      error={isDuration(setting.unit) && typeof value === 'string' ? t.durationWrong : settings.error(name)}
      overriddenBy={need && need.setting !== without && sayNeed(need, settings)}
      onReset={settings.readOnly || setting.secret || (value ?? '') === (fallback ?? '') ? undefined : () => settings.set({ [name]: fallback })}
    >
      {(field) => (
        <fieldset disabled={settings.readOnly} className="contents">
          {control({ setting, value, saved: settings.saved[name], edited: name in settings.draft.values, set: (next) => settings.set({ [name]: next }) }, field)}
          {aside}
        </fieldset>
      )}
    </FormRow>
  )
}
