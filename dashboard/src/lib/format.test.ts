import { describe, expect, test } from 'vitest'
import { formatBytes, formatDuration, formatRelative, parseDuration } from './format'

describe('durations', () => {
  test.each([
    ['15m', 900],
    ['2h', 7200],
    ['2h 30m', 9000],
    ['1w', 604_800],
    ['90', 90],
    [' 1 D ', 86_400],
  ])('%s', (text, seconds) => expect(parseDuration(text)).toBe(seconds))
  test.each(['', 'abc', '2x', '-5m', '1.5h', 'm5'])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined())
  test.each([0, 59, 60, 3661, 86_400, 1_234_567])('%d and back', (seconds) => expect(parseDuration(formatDuration(seconds))).toBe(seconds))
})

test('times relative to now', () => {
  const now = Date.parse('2026-11-28T12:00:00Z')
  expect(formatRelative('2026-11-28T11:56:00Z', now)).toMatch(/4 min/)
  expect(formatRelative('2026-11-30T12:00:00Z', now)).toMatch(/2 days/)
  expect(formatRelative('2026-11-28T12:00:00Z', now)).toBe('now')
})

test('sizes', () => {
  expect([0, 999, 1500, 20_000_000].map(formatBytes)).toEqual(['0 B', '999 B', '1.5 kB', '20 MB'])
})
