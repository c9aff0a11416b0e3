/** What a tail shows, and what waits while it is paused. */
export type Tail<Entry> = {
  /** The newest first. */
  shown: Entry[]
  waiting: Entry[]
  paused: boolean
  /** How many were left out, because more came than are kept. */
  dropped: number
}

export const emptyTail = { shown: [], waiting: [], paused: false, dropped: 0 }

/** Adds entries, the newest first; those that are there already are left out, and at most bound are kept. */
export function add<Entry extends { id: string }>(tail: Tail<Entry>, entries: Entry[], bound: number): Tail<Entry> {
  const known = new Set([...tail.shown, ...tail.waiting].map((e) => e.id))
  const fresh = entries.filter((e) => !known.has(e.id))
  if (fresh.length === 0) return tail
  const list = [...fresh, ...(tail.paused ? tail.waiting : tail.shown)]
  const kept = list.slice(0, bound)
  const dropped = tail.dropped + list.length - kept.length
  return tail.paused ? { ...tail, waiting: kept, dropped } : { ...tail, shown: kept, dropped }
}

export const pause = <Entry>(tail: Tail<Entry>): Tail<Entry> => ({ ...tail, paused: true })

/** Shows what waited. */
export function resume<Entry>(tail: Tail<Entry>, bound: number): Tail<Entry> {
  const list = [...tail.waiting, ...tail.shown]
  const kept = list.slice(0, bound)
  return { shown: kept, waiting: [], paused: false, dropped: tail.dropped + list.length - kept.length }
}
