import type { KeyStatus, SigningKey } from './signingkeys'

export type Move = KeyStatus | 'delete'

/** The columns, in the order in which a key goes through them. */
export const columns: KeyStatus[] = ['standby', 'in_use', 'previously_used', 'revoked']

/** Where a key may go from each status; the one in use leaves when another takes its place. */
export const moves: Record<KeyStatus, Move[]> = {
  standby: ['in_use', 'revoked', 'delete'],
  in_use: [],
  previously_used: ['revoked', 'in_use', 'standby'],
  revoked: ['previously_used', 'standby', 'delete'],
}

/** How long caches of verifiers may keep the public keys: ten minutes between, ten in the stock SDK. */
const cache = 20 * 60_000

/** When verifiers know a key that was published, and when the last tokens of a retired one have expired; as times. */
export const knownAt = (key: SigningKey) => Date.parse(key.created_at) + cache
export const spentAt = (key: SigningKey, tokenLife: number) => Date.parse(key.updated_at) + tokenLife * 1000
