// The fields of a provider as the form has them, and what the API is told of them.
import { customProviders as t } from '@/strings/customproviders'
import type { Attributes, CustomProvider } from './customproviders'

export type Kind = 'oidc' | 'oauth2'
export type Fields = Omit<CustomProvider, 'id' | 'identifier' | 'provider_type' | 'created_at' | 'updated_at' | 'jwks_uri' | 'attribute_mapping' | 'authorization_params'> & {
  client_secret?: string
  /** JSON, as it is typed. */
  attribute_mapping: string
  authorization_params: string
}
export type Name = keyof Fields

export const unset: Fields = {
  name: '', client_id: '', acceptable_client_ids: [], scopes: [], pkce_enabled: true, attribute_mapping: '', authorization_params: '', custom_claims_allowlist: [],
  enabled: false, email_optional: false, issuer: '', discovery_url: '', skip_nonce_check: false, authorization_url: '', token_url: '', userinfo_url: '',
}

const written = (object: Record<string, unknown>) => (Object.keys(object).length > 0 ? JSON.stringify(object, null, 2) : '')

export function fieldsOf(p: CustomProvider): Fields {
  const { id: _id, identifier: _identifier, provider_type: _type, created_at: _created, updated_at: _updated, jwks_uri: _keys, ...rest } = p
  return {
    ...rest,
    acceptable_client_ids: p.acceptable_client_ids ?? [],
    scopes: p.scopes ?? [],
    custom_claims_allowlist: p.custom_claims_allowlist ?? [],
    attribute_mapping: written(p.attribute_mapping),
    authorization_params: written(p.authorization_params),
  }
}

/** An object that was typed as JSON; null for anything else. */
function objectIn(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

const isAddress = (text: string) => /^https?:\/\/[^\s/]+/.test(text)

/** What is wrong with the fields, before the server is asked. */
export function wrong(kind: Kind, f: Fields, fresh: boolean): Partial<Record<Name, string>> {
  const out: Partial<Record<Name, string>> = {}
  if (f.name.trim() === '') out.name = t.missing
  if (f.client_id.trim() === '') out.client_id = t.missing
  if (fresh ? !f.client_secret : f.client_secret === '') out.client_secret = t.missing
  for (const name of kind === 'oidc' ? (['issuer'] as const) : (['authorization_url', 'token_url', 'userinfo_url'] as const)) if (!isAddress(f[name])) out[name] = t.noAddress
  if (f.discovery_url && !isAddress(f.discovery_url)) out.discovery_url = t.noAddress
  if (!objectIn(f.attribute_mapping)) out.attribute_mapping = t.noObject
  const params = objectIn(f.authorization_params)
  if (!params || Object.values(params).some((v) => typeof v !== 'string')) out.authorization_params = t.noTexts
  return out
}

/** The fields as the API takes them, of those that are named. */
export function attributesOf(f: Fields, names: Name[]): Attributes {
  const all: Attributes = {
    ...f,
    attribute_mapping: objectIn(f.attribute_mapping) ?? {},
    authorization_params: Object.fromEntries(Object.entries(objectIn(f.authorization_params) ?? {}).map(([name, value]) => [name, String(value)])),
  }
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => names.some((n) => n === name) && value !== undefined))
}

/** The fields that have another value than what is saved. */
export const changed = (saved: Fields, f: Fields) => (Object.keys(unset) as Name[]).concat('client_secret').filter((name) => JSON.stringify(saved[name]) !== JSON.stringify(f[name]))

/** An identifier that a name suggests. */
export const identifierOf = (name: string) =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
