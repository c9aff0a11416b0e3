// What was typed and not saved yet. It outlives the page on which it was typed, until
// the tab is closed; then the browser asks first.
import { useCallback, useState } from 'react'

const drafts = new Map<string, unknown>()

function ask(event: BeforeUnloadEvent) {
  event.preventDefault()
}

function keep(key: string, value: unknown) {
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  if (isEmpty) drafts.delete(key)
  else drafts.set(key, value)
  if (drafts.size > 0) window.addEventListener('beforeunload', ask)
  else window.removeEventListener('beforeunload', ask)
}

/** State that is found again when its page is opened again. An empty object is nothing. */
export function useDraft<Value extends object>(key: string, initial: Value) {
  const [value, set] = useState(() => (drafts.get(key) as Value | undefined) ?? initial)
  const change = useCallback(
    (next: Value) => {
      keep(key, next)
      set(next)
    },
    [key],
  )
  return [value, change] as const
}
