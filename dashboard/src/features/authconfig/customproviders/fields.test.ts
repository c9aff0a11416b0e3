import { expect, test } from 'vitest'
import { attributesOf, changed, identifierOf, unset, wrong } from './fields'

const acme = { ...unset, name: 'Acme', issuer: 'https://id.acme.example', client_id: 'x', client_secret: 'y' }

test('a provider is whole when its kind has its addresses', () => {
  expect(wrong('oidc', acme, true)).toEqual({})
  expect(Object.keys(wrong('oauth2', acme, true))).toEqual(['authorization_url', 'token_url', 'userinfo_url'])
  expect(Object.keys(wrong('oidc', unset, true)).sort()).toEqual(['client_id', 'client_secret', 'issuer', 'name'])
})

test('what is typed as JSON has to be an object, of texts for parameters', () => {
  expect(wrong('oidc', { ...acme, attribute_mapping: '[1]' }, true)).toHaveProperty('attribute_mapping')
  expect(wrong('oidc', { ...acme, attribute_mapping: '{"email_verified": true}' }, true)).toEqual({})
  expect(wrong('oidc', { ...acme, authorization_params: '{"prompt": 1}' }, true)).toHaveProperty('authorization_params')
})

test('a change names what changed and nothing else', () => {
  const saved = { ...acme, client_secret: undefined }
  const now = { ...saved, scopes: ['email'], authorization_params: '{"hd": "acme.example"}' }
  expect(changed(saved, now).sort()).toEqual(['authorization_params', 'scopes'])
  expect(attributesOf(now, changed(saved, now))).toEqual({ scopes: ['email'], authorization_params: { hd: 'acme.example' } })
})

test('an identifier is made of a name', () => {
  expect(identifierOf('Acmé Corp.')).toBe('acme-corp')
  expect(identifierOf('日本')).toBe('')
})
