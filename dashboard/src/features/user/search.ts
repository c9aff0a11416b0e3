// What is looked for in a list of users, as the address of the page has it.
import type { paths } from '@/lib/api/schema.gen'

export type ListParams = NonNullable<paths['/v1/projects/{ref}/auth/users']['get']['parameters']['query']>
export type Filter = Omit<ListParams, 'sort' | 'order' | 'cursor' | 'limit'>

export const states = ['confirmed', 'unconfirmed', 'banned', 'deleted'] as const
export const kinds = ['regular', 'anonymous', 'sso'] as const
export const createdRanges = ['24h', '7d', '30d', '90d'] as const
export const seenRanges = ['24h', '7d', '30d', 'not30d', 'not90d'] as const
export const sorts = ['created_at', 'last_sign_in_at', 'email'] as const

export type UsersSearch = {
  q?: string
  state?: (typeof states)[number]
  kind?: (typeof kinds)[number]
  provider?: string
  created?: (typeof createdRanges)[number]
  seen?: (typeof seenRanges)[number]
  sort?: (typeof sorts)[number]
  order?: 'asc' | 'desc'
}

const oneOf = <T extends string>(allowed: readonly T[], value: unknown) => allowed.find((v) => v === value)
const text = (value: unknown, most: number) => (typeof value === 'string' || typeof value === 'number') && String(value).length <= most ? String(value) || undefined : undefined

/** Drops what is no search of the list. */
export function validateUsersSearch(given: Record<string, unknown>): UsersSearch {
  const search: UsersSearch = {
    q: text(given.q, 200),
    state: oneOf(states, given.state),
    kind: oneOf(kinds, given.kind),
    provider: text(given.provider, 100),
    created: oneOf(createdRanges, given.created),
    seen: oneOf(seenRanges, given.seen),
    sort: oneOf(sorts, given.sort),
    order: oneOf(['asc', 'desc'] as const, given.order),
  }
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined))
}

const hours: Record<string, number> = { '24h': 24, '7d': 168, '30d': 720, '90d': 2160 }
const before = (range: string, now: number) => new Date(now - (hours[range] ?? 0) * 3_600_000).toISOString()

/** The filter of a request. */
export function filterOf(s: UsersSearch, now = Date.now()): Filter {
  const states: Record<NonNullable<UsersSearch['state']>, Filter> = { confirmed: { confirmed: 'true' }, unconfirmed: { confirmed: 'false' }, banned: { banned: 'true' }, deleted: { deleted: true } }
  const kinds: Record<NonNullable<UsersSearch['kind']>, Filter> = { regular: { anonymous: 'false', sso: 'false' }, anonymous: { anonymous: 'true' }, sso: { sso: 'true' } }
  return {
    ...(s.q?.trim() && { q: s.q.trim() }),
    ...(s.state && states[s.state]),
    ...(s.kind && kinds[s.kind]),
    ...(s.provider && { provider: s.provider }),
    ...(s.created && { created_since: before(s.created, now) }),
    ...(s.seen && (s.seen.startsWith('not') ? { last_sign_in_until: before(s.seen.slice(3), now) } : { last_sign_in_since: before(s.seen, now) })),
  }
}

/** Whether the search leaves users out. */
export const filtered = (s: UsersSearch) => Object.keys(filterOf(s)).length > 0
