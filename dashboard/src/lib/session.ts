// The session of this browser: cookies that no script can read, which the server
// continues on request. See internal/dashboard.
import { useSyncExternalStore } from 'react'
import { claimBrowser, forgetPerson } from './kept'

const path = '/dashboard/session'
let ended = false
let refreshing: Promise<boolean> | undefined
const listeners = new Set<() => void>()

function setEnded(now: boolean) {
  if (ended === now) return
  ended = now
  for (const tell of listeners) tell()
}

/** Whether the session ended while the app was in use. */
export function useSessionEnded() {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    () => ended,
  )
}

/** Continues the session: false when there is none. All callers share a request. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= fetch(`${path}/refresh`, { method: 'POST' })
    .then((response) => response.ok || (response.status !== 401 && Promise.reject(new TypeError('the session could not be continued'))))
    .finally(() => (refreshing = undefined))
  return refreshing
}

/** Makes the tokens of a sign-in at the platform project this browser's session. */
export async function beginSession(access_token: string, refresh_token: string): Promise<Response> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ access_token, refresh_token }),
  })
  if (response.ok) setEnded(false)
  return response
}

export async function endSession(): Promise<Response> {
  const response = await fetch(path, { method: 'DELETE' })
  if (response.ok) forgetPerson()
  return response
}

export type Person = { id: string; email: string }

/** Who is signed in: undefined for nobody. */
export async function person(): Promise<Person | undefined> {
  let response = await fetch(path)
  if (response.status === 401 && (await refreshSession())) response = await fetch(path)
  if (response.status === 401) return undefined
  if (!response.ok) throw new TypeError(`the session could not be read: status ${response.status}`)
  setEnded(false)
  setEnded(false)
  const { user } = (await response.json()) as { user: Person }
  claimBrowser(user.id)
  return user
}

/** fetch, which continues the session when it is refused for its age. */
export async function sessionFetch(request: Request): Promise<Response> {
  const again = request.clone()
  const response = await fetch(request)
  if (response.status !== 401) return response
  if (await refreshSession()) return fetch(again)
  setEnded(true)
  return response
}
