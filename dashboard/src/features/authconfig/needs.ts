// Which settings have no effect, because of which others.
import { settings as t } from '@/strings/settings'
import type { Setting } from './description'
import type { Settings } from './settings'
import { choiceOf, labelOf } from './words'

type Need = NonNullable<Setting['needs']>[number]

const isOn = (value: unknown) => value !== null && value !== undefined && value !== false && value !== '' && value !== 0

/** The first condition that is not met. */
export const unmet = (setting: Setting, value: (name: string) => unknown): Need | undefined =>
  setting.needs?.find((need) => (need.value != null ? value(need.setting) !== need.value : isOn(value(need.setting)) !== need.on))

/** The sentence about a condition that is not met. */
export function sayNeed(need: Need, settings: Settings): string {
  const other = settings.setting(need.setting)
  const label = other ? labelOf(other) : need.setting
  if (need.value != null) return t.withoutEffect.value(label, other ? choiceOf(other, need.value) : need.value)
  return need.on ? t.withoutEffect.off(label) : t.withoutEffect.on(label)
}
