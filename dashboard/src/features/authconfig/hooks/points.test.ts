import { expect, test } from 'vitest'
import { claimsOf, indented } from './json'
import { functionUri, kindOf, newSecret, shownUri } from './points'

test('a function is written with its schema, and read back as it was', () => {
  expect(functionUri('public.my_hook')).toBe('pg-functions://postgres/public/my_hook')
  expect(functionUri(' my_hook(jsonb) ')).toBe('pg-functions://postgres/public/my_hook')
  expect(functionUri('pg-functions://postgres/public/my_hook')).toBe('pg-functions://postgres/public/my_hook')
  expect(functionUri('')).toBe('')
  expect(shownUri('pg-functions://postgres/public/my_hook')).toBe('public.my_hook')
  expect(shownUri('https://hooks.example.com/a')).toBe('https://hooks.example.com/a')
  expect([kindOf(''), kindOf('pg-functions://postgres/a/b'), kindOf('https://x.y')]).toEqual([undefined, 'function', 'url'])
})

test('a secret is one of Standard Webhooks, and never the same', () => {
  const one = newSecret()
  expect(one).toMatch(/^v1,whsec_[A-Za-z0-9+/]{43}=$/)
  expect(newSecret()).not.toBe(one)
})

test('claims are found in events and in answers, and an answer that was cut off stays a text', () => {
  expect(claimsOf({ claims: { sub: 'a' } })).toEqual({ sub: 'a' })
  expect(claimsOf('{"claims":{"sub":"a"}}')).toEqual({ sub: 'a' })
  for (const none of ['{"claims":', '{}', 'null', null, '{"claims":1}']) expect(claimsOf(none)).toBeUndefined()
  expect(indented('{"a":1}')).toBe('{\n  "a": 1\n}')
  expect(indented('{"a":')).toBe('{"a":')
})
