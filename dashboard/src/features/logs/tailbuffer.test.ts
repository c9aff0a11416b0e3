import { expect, test } from 'vitest'
import { add, emptyTail, pause, resume, type Tail } from './tailbuffer'

const entries = (...ids: number[]) => ids.map((n) => ({ id: String(n) }))
const empty: Tail<{ id: string }> = emptyTail
const ids = (list: { id: string }[]) => list.map((e) => Number(e.id))

test('the newest are first, and none is there twice', () => {
  const tail = add(add(empty, entries(2, 1), 10), entries(3, 2), 10)
  expect(ids(tail.shown)).toEqual([3, 2, 1])
})

test('while paused, new ones wait', () => {
  let tail = add(pause(add(empty, entries(1), 10)), entries(3, 2), 10)
  expect(ids(tail.shown)).toEqual([1])
  expect(ids(tail.waiting)).toEqual([3, 2])
  tail = resume(tail, 10)
  expect(ids(tail.shown)).toEqual([3, 2, 1])
  expect(tail.waiting).toEqual([])
})

test('the oldest are dropped beyond the bound, and counted', () => {
  let tail = add(add(empty, entries(3, 2, 1), 3), entries(5, 4), 3)
  expect(ids(tail.shown)).toEqual([5, 4, 3])
  expect(tail.dropped).toBe(2)
  tail = resume(add(pause(tail), entries(9, 8, 7, 6), 3), 3)
  expect(ids(tail.shown)).toEqual([9, 8, 7])
  expect(tail.dropped).toBe(6)
})
