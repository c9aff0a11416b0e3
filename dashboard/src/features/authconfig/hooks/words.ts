// What is said of a hook's state and of its calls.
import type { Tone } from '@/components/state'
import { formatMillis, formatNumber } from '@/lib/format'
import { hooks as t } from '@/strings/hooks'
import type { Settings } from '../settings'
import type { Call, Hook } from './hooks'
import { kindOf, settingOf, type Kind, type Point } from './points'

export type State = { on: boolean; uri: string; kind: Kind | undefined; mode: string; unsaved: boolean; paused: boolean }

/** A hook as it is with the changes that are not saved yet. */
export function stateOf(settings: Settings, point: Point, hook?: Hook): State {
  const value = (part: Parameters<typeof settingOf>[1]) => settings.value(settingOf(point, part))
  const uri = String(value('uri') ?? '')
  return {
    on: value('enabled') === true,
    uri,
    kind: kindOf(uri),
    mode: String(value('mode') || 'fail_closed'),
    unsaved: Object.keys(settings.draft.values).some((name) => name.startsWith(`hook_${point}_`)),
    paused: hook?.paused ?? false,
  }
}

export function lookOf(s: State): { tone: Tone; word: string } {
  if (s.on && s.paused) return { tone: 'danger', word: t.state.paused }
  if (s.on) return { tone: 'ok', word: t.state.on }
  return { tone: 'neutral', word: s.uri ? t.state.ready : t.state.none }
}

/** The calls of a day in a line. */
export function sayStats(stats: Hook['last'] | null): string {
  if (!stats) return t.stats.none
  const s = t.stats
  return [s.calls(formatNumber(stats.calls)), stats.failed > 0 && s.failed(formatNumber(stats.failed)), stats.refused > 0 && s.refused(formatNumber(stats.refused)), s.median(formatMillis(stats.median_ms)), s.slowest(formatMillis(stats.slowest_ms))]
    .filter(Boolean)
    .join(' · ')
}

export const tones: Record<Call['outcome'], Tone> = { ok: 'ok', refused: 'warn', failed: 'danger', timeout: 'danger', skipped: 'danger' }
