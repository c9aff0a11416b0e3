// The mapping of attributes as rows of a form.
import type { Connection } from './sso'

type Mapping = Connection['attribute_mapping']
export type Claim = { claim: string; names: string[]; fallback: string; array: boolean }

/** The rows of a mapping, by the names of the claims. */
export const claimsOf = (mapping: Mapping): Claim[] =>
  Object.entries(mapping.keys)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([claim, to]) => ({
      claim,
      names: [...new Set([to.name, ...(to.names ?? [])].filter((n): n is string => !!n))],
      fallback: to.default === undefined || to.default === null ? '' : typeof to.default === 'string' ? to.default : JSON.stringify(to.default),
      array: to.array ?? false,
    }))

/** A default as it is typed: a number, a truth value or an object if it reads as one. */
function typed(text: string): unknown {
  if (!/^(true|false|-?\d+(\.\d+)?|[[{].*)$/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const mappingOf = (claims: Claim[]): Mapping => ({
  keys: Object.fromEntries(
    claims.map((c) => [
      c.claim.trim(),
      { ...(c.names.length === 1 ? { name: c.names[0] } : c.names.length > 1 ? { names: c.names } : {}), ...(c.fallback !== '' ? { default: typed(c.fallback) } : {}), ...(c.array ? { array: true } : {}) },
    ]),
  ),
})

/** The rows whose claim has no name, or that of another one. */
export const wrong = (claims: Claim[]) => claims.map((c, i) => c.claim.trim() === '' || claims.some((other, j) => j !== i && other.claim.trim() === c.claim.trim()))
