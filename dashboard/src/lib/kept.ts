// What this browser keeps for the person who is signed in: drafts, history, the last
// organization. It is theirs alone: it goes when they sign out, and before somebody
// else sees a page. When a session merely ends it stays, so that nothing typed is lost.

const prefix = 'reeve-kept:'
const owner = 'reeve-person'
/** Kept for whoever uses the browser. */
const everybodys = new Set(['reeve-theme', owner])

/** Makes the browser's room this person's: removes what another one left. True if there was another. */
export function claimBrowser(person: string): boolean {
  const before = localStorage.getItem(owner)
  if (before === person) return false
  forgetPerson()
  localStorage.setItem(owner, person)
  return before !== null
}

/** Removes everything that is a person's. */
export function forgetPerson() {
  for (const key of Object.keys(localStorage)) if (key.startsWith('reeve-') && !everybodys.has(key)) localStorage.removeItem(key)
  localStorage.removeItem(owner)
}

export const kept = {
  get: (name: string) => localStorage.getItem(prefix + name),
  set: (name: string, value: string) => localStorage.setItem(prefix + name, value),
  remove: (name: string) => localStorage.removeItem(prefix + name),
}
