// How settings and their values are called.
import { showDuration } from '@/components/duration'
import { settings as t } from '@/strings/settings'
import type { Setting } from './description'

export const isDuration = (unit: string): unit is 'seconds' | 'hours' | 'days' => unit === 'seconds' || unit === 'hours' || unit === 'days'

/** The name of a setting among others of its section. */
export function labelOf(setting: Setting): string {
  const own = t.labels[setting.name]
  if (own) return own
  if (setting.template) return (setting.subject ? t.subjectOf : t.contentOf)(t.mails[setting.template] ?? setting.template)
  if (setting.provider) return t.providerLabels[setting.name.replace(`external_${setting.provider}_`, '')] ?? setting.label
  return setting.label
}

/** The name of a setting where its section is not seen. */
export const fullLabelOf = (setting: Setting, provider: (name: string) => string) => (setting.provider ? `${provider(setting.provider)}: ${labelOf(setting)}` : labelOf(setting))

export function choiceOf(setting: Setting, value: string): string {
  const i = setting.choices?.indexOf(value) ?? -1
  return t.choices[setting.name]?.[i] ?? t.choice[value] ?? value
}

/** A value as a person reads it. Texts stay as they are. */
export function showValue(setting: Setting | undefined, value: unknown): unknown {
  if (!setting || setting.secret) return value
  if (value === null && setting.type !== 'string') return showValue(setting, setting.default)
  if (typeof value === 'boolean') return value ? t.on : t.off
  if (typeof value === 'number' && isDuration(setting.unit)) return showDuration(value, setting.unit)
  if (typeof value === 'string' && (setting.choices?.length ?? 0) > 0) return choiceOf(setting, value)
  return value
}
