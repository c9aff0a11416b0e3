// How a user is named, and the state that a list shows first.
import type { Tone } from '@/components/state'
import { users as t } from '@/strings/users'
import type { Summary } from './users'

type Named = Pick<Summary, 'name' | 'email' | 'phone' | 'is_anonymous'>

/** What people call a user. */
export const titleOf = (u: Named) => u.name || addressOf(u)

/** The address of a user; a phone number has its plus sign. */
export const addressOf = (u: Named) => u.email || phoneOf(u.phone) || (u.is_anonymous ? t.anonymous : t.nameless)

export const phoneOf = (phone: string) => (phone && !phone.startsWith('+') ? `+${phone}` : phone)

export const bannedNow = (u: Pick<Summary, 'banned_until'>, now = Date.now()) => u.banned_until !== null && new Date(u.banned_until).getTime() > now

/** A ban without an end is a hundred years long. */
export const endless = (until: string, now = Date.now()) => new Date(until).getTime() - now > 50 * 365 * 86_400_000

/** The most important state of a user. */
export function stateOf(u: Summary): { tone: Tone; word: string } {
  if (u.deleted_at) return { tone: 'neutral', word: t.states.deleted }
  if (bannedNow(u)) return { tone: 'danger', word: t.states.banned }
  if (u.is_anonymous) return { tone: 'neutral', word: t.states.anonymous }
  if (!u.email_confirmed_at && !u.phone_confirmed_at && !u.is_sso_user) return u.invited_at ? { tone: 'info', word: t.states.invited } : { tone: 'warn', word: t.states.unconfirmed }
  return { tone: 'ok', word: t.states.active }
}

const names: Record<string, string> = { email: 'E-mail', phone: 'Phone', github: 'GitHub', gitlab: 'GitLab', linkedin_oidc: 'LinkedIn', workos: 'WorkOS', bitbucket: 'Bitbucket', keycloak: 'Keycloak' }

/** A provider's name. */
export const providerName = (provider: string) => names[provider] ?? (provider.startsWith('sso:') ? 'SSO' : provider.charAt(0).toUpperCase() + provider.slice(1))
