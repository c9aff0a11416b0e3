// What a connection's state is, in one word.
import type { Tone } from '@/components/state'
import type { Connection } from './sso'

export type State = 'off' | 'idle' | 'active' | 'expired' | 'expiring' | 'broken' | 'stale'

export const tones: Record<State, Tone> = { off: 'neutral', idle: 'info', active: 'ok', expired: 'danger', expiring: 'warn', broken: 'danger', stale: 'warn' }

const day = 86_400_000

/** Whether a certificate ends within a month. */
export const endsSoon = (at: string, now: number) => Date.parse(at) - now < 30 * day
export const ended = (at: string, now: number) => Date.parse(at) < now

/** The state that matters most. */
export function stateOf(c: Pick<Connection, 'enabled' | 'saml' | 'last_sign_in_at'>, now = Date.now()): State {
  const until = c.saml?.certificate_expires_at
  if (!c.enabled) return 'off'
  if (until && ended(until, now)) return 'expired'
  if (c.saml?.metadata_fault) return 'broken'
  if (until && endsSoon(until, now)) return 'expiring'
  if (c.saml?.metadata_error) return 'stale'
  return c.last_sign_in_at ? 'active' : 'idle'
}
