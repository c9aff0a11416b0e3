// The services that people come from, and how what they have in hand becomes an issuer.
import type { Schema } from '@/lib/api/client'
import { issuers as t, type Preset } from '@/strings/issuers'
import type { Issuer } from './issuers'

export type { Preset }
export type Trusted = Schema<'ThirdpartyCreateBody'>

export const presets: Preset[] = ['clerk', 'auth0', 'firebase', 'cognito', 'workos', 'oidc', 'jwks', 'custom']

const domain = (text: string) => /^(?:https?:\/\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)\/*$/i.exec(text)?.[1]?.toLowerCase()
const address = (text: string) => (/^https?:\/\/[^\s]+$/i.test(text) ? text : undefined)

function keySet(text: string): Trusted['custom_jwks'] {
  try {
    const read: unknown = JSON.parse(text)
    if (typeof read !== 'object' || read === null) return undefined
    if ('keys' in read) return Array.isArray(read.keys) && read.keys.length > 0 ? { keys: read.keys } : undefined
    return 'kty' in read ? { keys: [{ ...read }] } : undefined
  } catch {
    return undefined
  }
}

/** What is to be trusted; undefined for a text that is not what is asked for. */
export function trustedOf(preset: Preset, given: string): Trusted | undefined {
  const text = given.trim()
  const issuer = (url: string | undefined | false): Trusted | undefined => (url ? { oidc_issuer_url: url } : undefined)
  switch (preset) {
    case 'clerk': {
      const host = domain(text)
      return issuer(host && `https://${host}`)
    }
    case 'auth0': {
      const host = domain(text)
      return issuer(host && `https://${host}/`)
    }
    case 'firebase':
      return /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(text) ? { oidc_issuer_url: `https://securetoken.google.com/${text}`, audiences: [text] } : undefined
    case 'cognito': {
      const region = /^([a-z]{2}(?:-[a-z]+)+-\d+)_[A-Za-z0-9]+$/.exec(text)?.[1]
      return issuer(region && `https://cognito-idp.${region}.amazonaws.com/${text}`)
    }
    case 'workos':
      return issuer(/^client_[A-Za-z0-9]+$/.test(text) && `https://api.workos.com/user_management/${text}`)
    case 'oidc':
      return issuer(address(text))
    case 'jwks': {
      const url = address(text)
      return url ? { jwks_url: url } : undefined
    }
    case 'custom': {
      const keys = keySet(text)
      return keys && { custom_jwks: keys }
    }
  }
}

/** The service that an issuer is of. */
export function presetOf(issuer: Pick<Issuer, 'oidc_issuer_url' | 'jwks_url'>): Preset {
  if (!issuer.oidc_issuer_url) return issuer.jwks_url ? 'jwks' : 'custom'
  const host = hostOf(issuer.oidc_issuer_url)
  if (host === 'securetoken.google.com') return 'firebase'
  if (/^cognito-idp\..+\.amazonaws\.com$/.test(host)) return 'cognito'
  if (host.endsWith('.auth0.com')) return 'auth0'
  if (host === 'api.workos.com') return 'workos'
  return host.startsWith('clerk.') || host.endsWith('.clerk.accounts.dev') ? 'clerk' : 'oidc'
}

function hostOf(url: string): string {
  try {
    return new URL(url).hostname
  } catch {
    return ''
  }
}

/** What an issuer is called: its address without the scheme. */
export const nameOf = (issuer: Pick<Issuer, 'oidc_issuer_url' | 'jwks_url'>) => (issuer.oidc_issuer_url ?? issuer.jwks_url ?? t.byHand).replace(/^https?:\/\//, '').replace(/\/$/, '')

/** A key as a person knows it: "RS256", "EC P-256". */
export function kindOfKey(key: Record<string, unknown>): string {
  const text = (name: string) => (typeof key[name] === 'string' ? key[name] : '')
  return text('alg') || [text('kty'), text('crv')].filter(Boolean).join(' ') || '–'
}

/** The keys of a set. */
export function keysOf(set: Issuer['resolved_jwks']): Record<string, unknown>[] {
  const keys: unknown = set?.keys
  return Array.isArray(keys) ? keys.filter((key) => typeof key === 'object' && key !== null) : []
}
