// The three ways to address a project, and a fetch that reaches each of them.
import { base } from './reeve.js'

const main = new URL(base)

/** For each kind of address, a project's URL as an app would configure it. */
export const addresses = {
  path: (project) => `${base}/p/${project.ref}`,
  host: (project) => `http://${project.ref}.localhost:${main.port}`,
  key: () => base,
}

export const kinds = Object.keys(addresses)

/** Fetch that needs no name server for <ref>.localhost, which not every resolver knows. */
export function fetchAt(input, init = {}) {
  const url = new URL(input)
  if (!url.hostname.endsWith('.localhost')) return fetch(url, init)
  const headers = new Headers(init.headers)
  headers.set('host', url.host)
  url.hostname = main.hostname
  return fetch(url, { ...init, headers })
}

/** Opens a mailed link as a browser would, up to the redirect: {status, location, query, fragment}. */
export async function open(link) {
  const res = await fetchAt(link, { redirect: 'manual' })
  await res.arrayBuffer()
  const location = res.headers.get('location') ?? ''
  const [rest, fragment = ''] = location.split('#')
  return {
    status: res.status,
    location,
    query: new URLSearchParams(rest.split('?')[1] ?? ''),
    fragment: new URLSearchParams(fragment),
  }
}
