// The stock client under test, created as in an app.
import { addresses } from './address.js'

/** The package under test. */
export const packageName = process.env.REEVE_CLIENT ?? '@supabase/supabase-js'
const { createClient } = await import(packageName)

/** Older Node has no WebSocket, and the client refuses to start without one. */
export const nodeRealtime = globalThis.WebSocket ? undefined : { transport: (await import('ws')).default }

/** A storage in place of the browser's: by default each client has its own. */
export function memory() {
  const items = new Map()
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  }
}

/**
 * A client of project over one kind of address. It records its requests in
 * client.requests as {method, path, status, headers}.
 */
export function connect(project, kind = 'path', { key = project.publishable_key, url = addresses[kind](project), ...auth } = {}) {
  const requests = []
  const client = createClient(url, key, {
    auth: { autoRefreshToken: false, persistSession: true, detectSessionInUrl: false, storage: memory(), ...auth },
    global: {
      fetch: async (input, init = {}) => {
        const res = await fetch(input, init)
        const { pathname } = new URL(input)
        requests.push({ method: init.method ?? 'GET', path: pathname, status: res.status, headers: res.headers })
        return res
      },
    },
    ...(nodeRealtime && { realtime: nodeRealtime }),
  })
  client.requests = requests
  return client
}

/** A client that acts with the project's secret key. */
export function connectAdmin(project, kind = 'path') {
  return connect(project, kind, { key: project.secret_key })
}
