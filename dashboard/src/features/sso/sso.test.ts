import { expect, test } from 'vitest'
import { claimsOf, mappingOf, wrong } from './claims'
import { fits, intents, usual } from './intents'
import { stateOf } from './state'

const now = Date.parse('2026-06-01T00:00:00Z')
const saml = { certificate_expires_at: '2028-01-01T00:00:00Z', metadata_fault: '', metadata_error: '' }
const connection = (change: object, more: object = {}) => ({ enabled: true, ...more, saml: { ...saml, ...change } }) as Parameters<typeof stateOf>[0]

test('the state names what stops sign-ins first', () => {
  expect(stateOf(connection({}), now)).toBe('idle')
  expect(stateOf(connection({}, { last_sign_in_at: '2026-05-01T00:00:00Z' }), now)).toBe('active')
  expect(stateOf(connection({ certificate_expires_at: '2026-06-20T00:00:00Z', metadata_error: 'x' }), now)).toBe('expiring')
  expect(stateOf(connection({ certificate_expires_at: '2026-05-20T00:00:00Z', metadata_fault: 'x' }), now)).toBe('expired')
  expect(stateOf(connection({ metadata_fault: 'x' }), now)).toBe('broken')
  expect(stateOf(connection({ metadata_error: 'x' }), now)).toBe('stale')
  expect(stateOf(connection({ metadata_fault: 'x' }, { enabled: false }), now)).toBe('off')
})

test('a mapping is the same after the form', () => {
  const mapping = { keys: { plan: { default: 'basic' }, seats: { default: 5 }, team: { name: 'groups', array: true }, who: { names: ['displayName', 'cn'] } } }
  expect(mappingOf(claimsOf(mapping))).toEqual(mapping)
  expect(mappingOf(claimsOf({ keys: { who: { name: 'cn', names: ['cn'] } } }))).toEqual({ keys: { who: { name: 'cn' } } })
})

test('claims need names of their own', () => {
  const claim = { names: [], fallback: '', array: false }
  expect(wrong([{ claim: 'a', ...claim }, { claim: ' a', ...claim }, { claim: '', ...claim }, { claim: 'b', ...claim }])).toEqual([true, true, true, false])
})

test('a setup link is for what its connection can be set up by', () => {
  const of = (c: Parameters<typeof fits>[1]) => intents.filter((i) => fits(i, c))
  expect(of(undefined)).toEqual(['sso', 'domain', 'scim'])
  expect(of({ enabled: false, type: 'oidc' })).toEqual(['sso', 'domain', 'scim'])
  expect(of({ enabled: true, type: 'saml' })).toEqual(['domain', 'scim', 'certificate'])
  expect(of({ enabled: true, type: 'oidc' })).toEqual(['domain', 'scim'])
  expect([undefined, { enabled: true, type: 'saml' }, { enabled: true, type: 'oidc' }].map((c) => usual(c as Parameters<typeof fits>[1]))).toEqual([['sso', 'domain'], ['certificate'], ['domain']])
})
