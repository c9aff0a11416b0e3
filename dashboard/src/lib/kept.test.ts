import { beforeEach, expect, test } from 'vitest'
import { claimBrowser, forgetPerson, kept } from './kept'

beforeEach(() => localStorage.clear())

test('what a person leaves is gone when they sign out, and the theme stays', () => {
  localStorage.setItem('reeve-theme', 'dark')
  claimBrowser('ann')
  kept.set('sql-draft:ref', 'select 1')
  forgetPerson()
  expect({ ...localStorage }).toEqual({ 'reeve-theme': 'dark' })
})

test('somebody else finds nothing, the same person everything', () => {
  claimBrowser('ann')
  kept.set('sql-draft:ref', 'select 1')
  expect(claimBrowser('ann')).toBe(false)
  expect(kept.get('sql-draft:ref')).toBe('select 1')
  expect(claimBrowser('bob')).toBe(true)
  expect(kept.get('sql-draft:ref')).toBeNull()
})

test('what an older release kept without a person is nobody’s', () => {
  localStorage.setItem('reeve-sql-draft:ref', 'select 1')
  expect(claimBrowser('ann')).toBe(false)
  expect(localStorage.getItem('reeve-sql-draft:ref')).toBeNull()
})
