import { describe, expect, test } from 'vitest'
import { deviceOf } from '@/lib/device'
import { lastOf } from './export'
import { faultLine, mergePatch, parseObject, same } from './metadata'
import { filterOf, validateUsersSearch } from './search'
import { sentenceOf } from './sentence'
import type { Detail } from './user'

const now = Date.parse('2026-11-28T12:00:00Z')
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString()

const ada: Detail = {
  id: '7a1c1f5e-7a0b-4b7e-9a55-0f1d3c0a2b4c', email: 'ada@example.com', phone: '', name: 'Ada', role: 'authenticated', providers: ['email'], email_confirmed_at: ago(9999), phone_confirmed_at: null, invited_at: null,
  last_sign_in_at: null, created_at: ago(9999), updated_at: ago(9999), banned_until: null, deleted_at: null, is_anonymous: false, is_sso_user: false, new_email: '', new_phone: '', has_password: true, app_metadata: {}, user_metadata: {},
  standing: { can_sign_in: true, reasons: [], confirmed: true, banned_until: null, last_refused: { at: ago(4), code: 'invalid_credentials', message: 'Invalid login credentials', client_ip: '203.0.113.9', route: 'POST /auth/v1/token', count: 3 } },
  identities: [], factors: [], passkeys: [], sessions: [], ended_sessions: [], refreshes: [], rotations: [], messages: [],
}

describe('the sentence', () => {
  test('says the standing, the last refusal with its reason, and the last sign-in', () => {
    expect(sentenceOf(ada, now)).toEqual({ tone: 'warn', text: expect.stringMatching(/^Confirmed, not banned\. Last refused 4 min\. ago: wrong password, 3rd time in 24 h from 203\.0\.113\.9\. Never signed in\.$/) as string })
  })
  test('a sign-in after the refusal calms it', () => {
    expect(sentenceOf({ ...ada, last_sign_in_at: ago(1) }, now)).toMatchObject({ tone: 'ok', text: expect.stringContaining('Signed in since.') as string })
  })
  test('a ban comes before all else; a century is no date', () => {
    const banned = (hours: number) => ({ ...ada, standing: { ...ada.standing, reasons: ['banned'], banned_until: new Date(now + hours * 3_600_000).toISOString() } })
    expect(sentenceOf(banned(24), now)).toMatchObject({ tone: 'danger', text: expect.stringMatching(/^Banned until \S*.*2026/) as string })
    expect(sentenceOf(banned(876_000), now).text).toMatch(/^Banned until the ban is lifted\./)
  })
  test('an unknown code is told in the words of the server', () => {
    const last_refused = { ...ada.standing.last_refused, code: 'strange', message: 'The hook said no.', count: 1, client_ip: '' }
    expect(sentenceOf({ ...ada, standing: { ...ada.standing, last_refused } }, now).text).toContain('Last refused 4 min. ago: the hook said no.')
  })
})

describe('metadata', () => {
  test('only members that differ are sent, and null for those that go', () => {
    expect(mergePatch({ a: 1, b: { c: [1, 2] }, gone: true }, { a: 2, b: { c: [1, 2] }, fresh: null })).toEqual({ a: 2, gone: null, fresh: null })
  })
  test('names that objects have anyway are members like others', () => {
    expect(mergePatch({}, JSON.parse('{"constructor": 1, "toString": 2}') as Record<string, unknown>)).toEqual({ constructor: 1, toString: 2 })
  })
  test('the order of members does not count, that of a list does', () => {
    expect(same({ a: 1, b: [1, { x: null }] }, { b: [1, { x: null }], a: 1 })).toBe(true)
    expect(same([1, 2], [2, 1])).toBe(false)
    expect(same([], {})).toBe(false)
  })
  test.each([
    ['{"a": 1}', undefined],
    ['', undefined],
    ['{\n  "a": 1,\n  "b": nope\n}', 3],
    ['{\n  "a": 1,\n}', 3],
    ['{\n  "a": 1\n', 2],
    ['{\n  "a":\n', 2],
  ])('%j stops being JSON in line %s', (text, line) => expect(faultLine(text)).toBe(line))
  test.each(['[1]', 'null', '"x"', '{"a":}', '{'])('%s is no object', (text) => expect(parseObject(text).error).toBeTruthy())
})

describe('a part of an export', () => {
  test('CSV: line breaks in quotes end no record, and name no id', () => {
    const csv = 'id,email,name\n1,a@x,"one\n9,evil"\n2,b@x,"say ""hi""\n8,"\n'
    expect(lastOf(csv, 'csv')).toEqual({ count: 2, id: '2' })
    expect(lastOf('id,email\n', 'csv')).toEqual({ count: 0, id: '' })
  })
  test('NDJSON', () => {
    expect(lastOf('{"id":"1"}\n{"id":"2","name":"a\\n\\"b"}\n', 'ndjson')).toEqual({ count: 2, id: '2' })
    expect(lastOf('', 'ndjson')).toEqual({ count: 0, id: '' })
  })
})

describe('the search in the address', () => {
  test('what is no search is dropped', () => {
    expect(validateUsersSearch({ q: 'ada', state: 'banned', kind: 'x', sort: 'password', order: 'asc', more: 1 })).toEqual({ q: 'ada', state: 'banned', order: 'asc' })
    expect(validateUsersSearch({ q: 'a'.repeat(201) })).toEqual({})
  })
  test('ranges become times', () => {
    expect(filterOf({ q: ' ada ', state: 'unconfirmed', kind: 'regular', created: '24h', seen: 'not30d' }, now)).toEqual({
      q: 'ada', confirmed: 'false', anonymous: 'false', sso: 'false', created_since: '2026-11-27T12:00:00.000Z', last_sign_in_until: '2026-10-29T12:00:00.000Z',
    })
  })
})

test.each([
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1', 'Safari on iPhone'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0', 'Edge on Windows'],
  ['Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', 'Chrome on Android'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0', 'Firefox on macOS'],
  ['node', 'Node.js'],
  ['Dart/3.4 (dart:io)', 'Flutter app'],
  ['', 'Unknown client'],
  ['x'.repeat(60), `${'x'.repeat(40)}…`],
])('%s is %s', (agent, words) => expect(deviceOf(agent)).toBe(words))
