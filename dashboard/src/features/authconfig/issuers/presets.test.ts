import { expect, test } from 'vitest'
import { keysOf, kindOfKey, nameOf, presetOf, trustedOf, type Preset } from './presets'

test.each<[Preset, string, string | undefined]>([
  ['clerk', 'https://example.clerk.accounts.dev/', 'https://example.clerk.accounts.dev'],
  ['auth0', 'Example.eu.auth0.com', 'https://example.eu.auth0.com/'],
  ['auth0', 'example', undefined],
  ['firebase', 'example-app', 'https://securetoken.google.com/example-app'],
  ['firebase', 'https://example-app', undefined],
  ['cognito', 'us-gov-west-1_AbC', 'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbC'],
  ['cognito', 'AbCdEf', undefined],
  ['workos', 'client_01AB', 'https://api.workos.com/user_management/client_01AB'],
  ['oidc', 'login.example.com', undefined],
])('%s takes %s', (preset, given, issuer) => {
  const got = trustedOf(preset, given)
  expect(got?.oidc_issuer_url).toBe(issuer)
  if (issuer) expect(presetOf({ oidc_issuer_url: issuer, jwks_url: null })).toBe(preset)
})

test('a project of Firebase is the audience of its tokens', () => {
  expect(trustedOf('firebase', 'example-app')?.audiences).toEqual(['example-app'])
})

test('keys are given as a set, or as one; anything else is none', () => {
  const key = { kty: 'EC', crv: 'P-256' }
  expect(trustedOf('custom', JSON.stringify({ keys: [key] }))).toEqual({ custom_jwks: { keys: [key] } })
  expect(trustedOf('custom', JSON.stringify(key))).toEqual({ custom_jwks: { keys: [key] } })
  for (const wrong of ['', '[]', '{"keys":[]}', '{"keys":', 'null', '{}']) expect(trustedOf('custom', wrong)).toBeUndefined()
  expect([kindOfKey(key), kindOfKey({ kty: 'RSA', alg: 'RS256' }), kindOfKey({})]).toEqual(['EC P-256', 'RS256', '–'])
  expect(keysOf({ keys: [key, null, 'x'] })).toEqual([key])
})

test('an issuer is called by its address', () => {
  expect(nameOf({ oidc_issuer_url: 'https://example.eu.auth0.com/', jwks_url: null })).toBe('example.eu.auth0.com')
  expect(nameOf({ oidc_issuer_url: null, jwks_url: null })).toBe('Keys that were given')
})
