// The three ways to address a project.
import dns from 'node:dns'
import { base } from './reeve.js'

const main = new URL(base)

// Names below localhost are loopback (RFC 6761 section 6.3); browsers know that,
// but not every resolver does. Fetch sets the Host header from the name.
const { lookup } = dns
dns.lookup = (hostname, options, done = options) =>
  lookup(hostname.endsWith('.localhost') ? main.hostname : hostname, options, done)

/** For each kind of address, a project's URL as an app would configure it. */
export const addresses = {
  path: (project) => `${base}/p/${project.ref}`,
  host: (project) => `http://${project.ref}.localhost:${main.port}`,
  key: () => base,
}

export const kinds = Object.keys(addresses)

/** Opens a mailed link as a browser would, up to the redirect: {status, location, query, fragment}. */
export async function open(link) {
  let res = await fetch(link, { redirect: 'manual' })
  const form = formOf(await res.text())
  if (res.status === 200 && form) {
    res = await fetch(new URL(form.action, link), { method: 'POST', body: form.fields, redirect: 'manual' })
    await res.arrayBuffer()
  }
  const location = res.headers.get('location') ?? ''
  const [rest, fragment = ''] = location.split('#')
  return {
    status: res.status,
    location,
    query: new URLSearchParams(rest.split('?')[1] ?? ''),
    fragment: new URLSearchParams(fragment),
  }
}

/** The form of a page that asks before it goes on, or undefined. */
function formOf(html) {
  const action = html.match(/<form method="post" action="([^"]+)">/)?.[1]
  if (!action) return undefined
  const fields = new URLSearchParams()
  for (const [, name, value] of html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)) {
    fields.set(name, value.replaceAll('&amp;', '&').replaceAll('&#43;', '+'))
  }
  return { action, fields }
}
