import { Card, Section } from '@/components/page'
import { settings as t } from '@/strings/settings'
import type { Section as Group, Setting } from './description'
import { unmet } from './needs'
import { SettingRow } from './row'
import { useSettings, type Settings } from './settings'
import { labelOf } from './words'

/** The setting of the same section whose being off takes the effect of another. */
function switchOf(setting: Setting, group: Group, settings: Settings): string | undefined {
  const need = unmet(setting, settings.value)
  return need?.on && need.value == null && group.settings?.some((s) => s.name === need.setting) ? need.setting : undefined
}

/** The settings of another gateway or the like than the chosen one: nobody misses them. */
const ofAnotherChoice = (setting: Setting, settings: Settings) => setting.needs?.some((need) => need.value != null && settings.value(need.setting) !== need.value) ?? false

/** All settings of a section that are built; those that a switch of it takes the effect of stand behind it, folded. */
export function SettingsOf({ group, without = [] }: { group: Group; without?: string[] }) {
  const settings = useSettings()
  const built = (group.settings ?? []).filter((s) => s.built && !without.includes(s.name) && !ofAnotherChoice(s, settings))
  const folded = new Map<string, Setting[]>()
  for (const s of built) {
    const by = switchOf(s, group, settings)
    if (by) folded.set(by, [...(folded.get(by) ?? []), s])
  }
  const behind = new Set([...folded.values()].flat().map((s) => s.name))
  return (
    <Card className="divide-y divide-line px-4">
      {built
        .filter((s) => !behind.has(s.name))
        .map((s) => (
          <div key={s.name}>
            <SettingRow name={s.name} />
            {folded.has(s.name) && (
              <details className="border-t border-line">
                <summary className="cursor-pointer py-2 text-sm text-text-2 hover:text-text">{t.needs(folded.get(s.name)?.length ?? 0, labelOf(s))}</summary>
                <div className="divide-y divide-line border-t border-line pl-4">
                  {folded.get(s.name)?.map((one) => <SettingRow key={one.name} name={one.name} />)}
                </div>
              </details>
            )}
          </div>
        ))}
    </Card>
  )
}

/** Sections by their ids, each with a heading if there are several. */
export function Sections({ ids, without }: { ids: string[]; without?: string[] }) {
  const { sections } = useSettings()
  const shown = ids.flatMap((id) => sections.find((s) => s.id === id && s.settings?.some((one) => one.built)) ?? [])
  return shown.map((group) =>
    shown.length === 1 ? (
      <SettingsOf key={group.id} group={group} without={without} />
    ) : (
      <Section key={group.id} id={group.id} title={t.sections[group.id] ?? group.title}>
        <SettingsOf group={group} without={without} />
      </Section>
    ),
  )
}
