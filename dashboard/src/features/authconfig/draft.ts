// What was changed and is not saved yet, by project. It outlives the pages, so that
// nothing typed is lost over navigation; it stays in memory, because it may hold
// secrets.
import { useSyncExternalStore } from 'react'
import type { Values } from './config'

export type Draft = {
  /** The version that the changes were made to. */
  base: number
  values: Values
  reason: string
  /** Counts the changes of the values. */
  revision: number
}

const none: Draft = { base: 0, values: {}, reason: '', revision: 0 }
const drafts = new Map<string, Draft>()
const listeners = new Set<() => void>()
let revisions = 0

function put(ref: string, draft: Draft | undefined) {
  if (draft) drafts.set(ref, draft)
  else drafts.delete(ref)
  for (const tell of listeners) tell()
}

export const draftOf = (ref: string) => drafts.get(ref) ?? none

export function useDraft(ref: string): Draft {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    () => draftOf(ref),
  )
}

/** Puts a value into the draft; what is saved already leaves it. */
export function edit(ref: string, now: { values: Values; version: number }, changed: Values) {
  const draft = draftOf(ref)
  const values = { ...draft.values }
  for (const [name, value] of Object.entries(changed)) {
    if (value === now.values[name] || (value === '' && (now.values[name] ?? '') === '')) delete values[name]
    else values[name] = value
  }
  if (Object.keys(values).length === 0) put(ref, undefined)
  else put(ref, { ...draft, base: draft.base || now.version, values, revision: ++revisions })
}

export const setReason = (ref: string, reason: string) => drafts.has(ref) && put(ref, { ...draftOf(ref), reason })

/** Makes the changes ones to another version: the newest one, after reading it. */
export const rebase = (ref: string, version: number) => drafts.has(ref) && put(ref, { ...draftOf(ref), base: version, revision: ++revisions })

export const discard = (ref: string) => put(ref, undefined)

/** Warns before the page goes while there are changes. */
window.addEventListener('beforeunload', (event) => {
  if (drafts.size > 0) event.preventDefault()
})
