import { expect, test } from 'vitest'
import { csv, lineText, objectOf } from './values'

test('CSV quotes what needs it, and tells NULL from an empty text', () => {
  expect(csv(['a', 'b,c'], [[null, ''], ['x "y"', { k: [1] }], ['1\n2', 3]])).toBe('a,"b,c"\r\n,""\r\n"x ""y""","{""k"":[1]}"\r\n"1\n2",3\r\n')
})

test('columns of the same name keep their values, whatever the name', () => {
  expect(JSON.stringify(objectOf(['a', 'a', '__proto__'], [1, 2, 3]))).toBe('{"a":1,"a_2":2,"__proto__":3}')
})

test('a long value is clipped for a cell', () => {
  expect(lineText('x'.repeat(600))).toHaveLength(501)
})
