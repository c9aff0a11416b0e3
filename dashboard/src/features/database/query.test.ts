import { expect, test } from 'vitest'
import { indexOf, lineOf } from './query'

test('a position counts characters, an index units of UTF-16', () => {
  expect(indexOf('select x', 8)).toBe(7)
  expect(indexOf("select '🙂', x", 13)).toBe(13)
  expect(indexOf('abc', 99)).toBe(3)
})

test('lines and columns begin at 1', () => {
  expect(lineOf('select 1;\nselect x', 17)).toEqual({ line: 2, column: 8 })
  expect(lineOf('', 0)).toEqual({ line: 1, column: 1 })
})
