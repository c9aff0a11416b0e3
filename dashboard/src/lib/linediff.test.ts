import { expect, test } from 'vitest'
import { lineDiff } from './linediff'

const shown = (before: string, after: string) => lineDiff(before, after).map((h) => ('skipped' in h ? `@${h.skipped}` : { same: ' ', gone: '-', new: '+' }[h.kind] + h.text))

test('a changed line keeps its neighbours, and folds the rest', () => {
  expect(shown('1\n2\n3\n4\n5\n6\n7', '1\n2\n3\n4\nfive\n6\n7')).toEqual(['@2', ' 3', ' 4', '-5', '+five', ' 6', ' 7'])
})

test('lines that move are taken out and put in', () => {
  expect(shown('a\nb\nc', 'b\nc\na')).toEqual(['-a', ' b', ' c', '+a'])
  expect(shown('', 'x')).toEqual(['+x'])
  expect(shown('x', '')).toEqual(['-x'])
})
