// A client of the Management API by fetch, as in an operator's script.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

export const base = env('REEVE_URL').replace(/\/+$/, '')
const token = env('REEVE_ACCESS_TOKEN')

function env(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run ./run.sh`)
  return value
}

/** Calls the Management API and gives the decoded answer; throws unless it is 2xx. */
export async function manage(method, path, body) {
  const res = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  const text = await res.text()
  assert.ok(res.ok, `${method} ${path}: ${res.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

// Limits that no test reaches, and allowed redirect targets.
const roomy = {
  rate_limit_otp: 100000,
  rate_limit_verify: 100000,
  rate_limit_token_refresh: 100000,
  rate_limit_email_sent: 100000,
  smtp_max_frequency: 0,
  site_url: 'http://localhost:3000',
  uri_allow_list: 'http://localhost:3000/**',
}

/** Creates a project with roomy limits, changed by config; {ref, url, publishable_key, secret_key, db_url}. */
export async function createProject(name, config = {}) {
  const organizations = await manage('GET', '/v1/organizations')
  const home = organizations.find((o) => o.slug === 'default') ?? organizations[0]
  const project = await manage('POST', '/v1/projects?reveal=true', { name, organization_slug: home.slug })
  await configure(project, { ...roomy, ...config })
  return project
}

/** Changes the auth configuration, which acts within a second. */
export async function configure(project, patch) {
  await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, patch)
  await sleep(1000)
}

export const deleteProject = (project) => manage('DELETE', `/v1/projects/${project.ref}`)
