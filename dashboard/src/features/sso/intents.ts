// What a setup link can be for.
import type { Connection } from './sso'

export const intents = ['sso', 'domain', 'scim', 'certificate'] as const
export type Intent = (typeof intents)[number]

/** Whether a link to a connection, or to a new one, can be for an intent. */
export function fits(intent: Intent, c: Pick<Connection, 'enabled' | 'type'> | undefined): boolean {
  if (intent === 'sso') return !c?.enabled
  if (intent === 'certificate') return c !== undefined && c.enabled && c.type === 'saml'
  return true
}

/** What is chosen when nobody has chosen. */
export const usual = (c: Pick<Connection, 'enabled' | 'type'> | undefined): Intent[] => (!c ? ['sso', 'domain'] : fits('sso', c) ? ['sso'] : fits('certificate', c) ? ['certificate'] : ['domain'])
