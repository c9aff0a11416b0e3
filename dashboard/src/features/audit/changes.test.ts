import { expect, test } from 'vitest'
import { changesOf, type AuditEntry } from './audit'

const entry = (detail: unknown): AuditEntry => ({ seq: 1, id: '', at: '', actor: null, token: null, service_token: null, action: '', object: '', ref: null, result: 'done', code: null, ip: null, request_id: '', detail: detail as AuditEntry['detail'] })

test('fields with a value before are changes, others were asked', () => {
  const { changes, asked, outcome } = changesOf(entry({ request: { site_url: 'b', note: 'n' }, before: { site_url: 'a' }, outcome: { rows: 1 } }))
  expect(changes).toEqual([{ name: 'site_url', before: 'a', after: 'b' }])
  expect(asked).toEqual({ note: 'n' })
  expect(outcome).toEqual({ rows: 1 })
})

test('what is deleted has no value after', () => {
  expect(changesOf(entry({ before: { name: 'shop' } })).changes).toEqual([{ name: 'name', before: 'shop', after: null }])
})

test('an entry without a detail has nothing to show', () => {
  expect(changesOf(entry(null))).toEqual({ changes: [], asked: {}, outcome: {} })
})
