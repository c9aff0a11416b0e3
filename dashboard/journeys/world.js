// Makes what the pages show: a project with users, refusals, mails and a change of
// its settings, by the APIs that apps and tools use.
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@supabase/supabase-js'
import { url } from './browser.js'

/** Calls the Management API with the operator's access token. */
export async function manage(method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: { Authorization: `Bearer ${process.env.REEVE_ACCESS_TOKEN}`, ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

/** A client as an app has it. */
export const app = (project, key = project.publishable_key) =>
  createClient(project.url, key, {
    auth: { persistSession: false, autoRefreshToken: false, storageKey: randomUUID() },
    realtime: { transport: globalThis.WebSocket ?? class {} }, // for Node 20
  })

/** Creates a project whose limits no journey reaches. */
export async function createProject(name, config = {}) {
  const project = await manage('POST', '/v1/projects?reveal=true', { name, organization_slug: 'default' })
  await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { rate_limit_email_sent: 100000, rate_limit_verify: 100000, smtp_max_frequency: 0, ...config })
  await sleep(1000) // the settings are in force
  return project
}

export const deleteProject = (project) => manage('DELETE', `/v1/projects/${project.ref}`)

export const password = 'correct horse battery staple'

const names = ['Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Katherine Johnson', 'Barbara Liskov', 'مها الشريف', '王小明', 'Συλβία Παπαδοπούλου', `Wolfeschlegelsteinhausenbergerdorff ${'the very long '.repeat(12)}`.slice(0, 200)]

/** A project in which something has happened, and its users. */
export async function livelyProject(name = 'Acme shop') {
  const project = await createProject(name)
  const admin = app(project, project.secret_key)
  const users = []
  for (const [i, full_name] of names.entries()) {
    const { data, error } = await admin.auth.admin.createUser({ email: `user${i}.${project.ref.slice(0, 6)}@example.com`, password, email_confirm: i !== 3, user_metadata: { full_name } })
    if (error) throw error
    users.push(data.user)
  }
  for (const user of users.slice(0, 3)) await app(project).auth.signInWithPassword({ email: user.email, password })
  for (let i = 0; i < 3; i++) await app(project).auth.signInWithPassword({ email: users[1].email, password: 'wrong' })
  await app(project).auth.signInWithPassword({ email: users[3].email, password })
  await admin.auth.admin.updateUserById(users[4].id, { ban_duration: '48h' })
  await app(project).auth.signUp({ email: `new.${project.ref.slice(0, 6)}@example.com`, password })
  await app(project).auth.resetPasswordForEmail(users[0].email)
  await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { password_min_length: 10, uri_allow_list: 'https://shop.example.com/**,http://localhost:3000/*' })
  return { project, users }
}

/** The code of an authenticator app now (RFC 6238). */
export function codeOf(secret) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
