import { expect, test } from 'vitest'
import { enrollUntil } from './grace'

const now = Date.parse('2027-01-10T00:00:00Z')

test('what is said follows from the beginning and the days', () => {
  expect(enrollUntil('2027-01-08T00:00:00Z', 7, now)?.say).toBe('until')
  expect(enrollUntil('2027-01-01T00:00:00Z', 7, now)?.say).toBe('over')
  expect(enrollUntil('2027-02-01T00:00:00Z', 0, now)?.say).toBe('begins')
  expect(enrollUntil('2027-02-01T00:00:00Z', 7, now)).toMatchObject({ say: 'until', at: expect.stringContaining('8') })
})

test('without a beginning nothing is said', () => {
  for (const since of [null, '', 'soon']) expect(enrollUntil(since, 7, now)).toBeUndefined()
  expect(enrollUntil('2027-02-01T00:00:00Z', '7x', now)).toBeUndefined()
})
