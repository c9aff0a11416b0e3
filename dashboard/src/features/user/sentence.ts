// The answer to "why can this user not sign in?".
import type { Tone } from '@/components/state'
import { reasonOf } from '@/lib/eventwords'
import { formatExact, formatRelative } from '@/lib/format'
import { user as t } from '@/strings/user'
import type { Detail } from './user'
import { endless } from './words'

const ordinals = new Intl.PluralRules('en', { type: 'ordinal' })
const suffixes: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' }
const ordinal = (n: number) => `${n}${suffixes[ordinals.select(n)] ?? 'th'}`

const first = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

function standing(u: Detail, now: number): { tone: Tone; text: string } {
  const s = t.sentence
  const reasons = u.standing.reasons ?? []
  if (u.deleted_at) return { tone: 'neutral', text: s.deleted(formatRelative(u.deleted_at, now)) }
  if (u.standing.banned_until) return { tone: 'danger', text: endless(u.standing.banned_until, now) ? s.bannedForever : s.bannedUntil(formatExact(u.standing.banned_until)) }
  if (reasons.includes('no_way_in')) return { tone: 'danger', text: s.no_way_in }
  if (reasons.includes('unconfirmed')) return { tone: 'warn', text: u.invited_at ? s.invited : s.unconfirmed }
  return { tone: 'ok', text: u.is_anonymous ? s.anonymous : u.is_sso_user ? s.sso : s.can }
}

/** One sentence about a user, or three short ones: their standing, the last refusal, the last sign-in. */
export function sentenceOf(u: Detail, now = Date.now()): { tone: Tone; text: string } {
  const s = t.sentence
  const { tone, text } = standing(u, now)
  const refused = u.standing.last_refused as Detail['standing']['last_refused'] | null
  const parts = [text]
  const later = refused && u.last_sign_in_at && u.last_sign_in_at > refused.at
  if (refused) {
    parts.push(s.refused(formatRelative(refused.at, now), first(reasonOf(refused.code, refused.message)), refused.count > 1 ? s.times(ordinal(refused.count)) : '', refused.client_ip ? s.from(refused.client_ip) : ''))
  }
  if (u.last_sign_in_at) parts.push(later ? s.after : s.signedIn(formatRelative(u.last_sign_in_at, now)))
  else if (!u.deleted_at) parts.push(s.never)
  return { tone: tone === 'ok' && refused && !later ? 'warn' : tone, text: parts.join(' ') }
}
