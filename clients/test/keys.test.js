// API keys of all kinds, and the requirements of browsers.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addresses, kinds } from '../lib/address.js'
import { connect } from '../lib/client.js'
import { claimsOf, freshEmail, ok, password, refused } from '../lib/expect.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'

let project, keys
before(async () => {
  project = await createProject('keys', { mailer_autoconfirm: true })
  keys = `/v1/projects/${project.ref}/api-keys`
})
after(() => deleteProject(project))

const get = (kind, path, headers = {}) => fetch(`${addresses[kind](project)}/auth/v1${path}`, { headers })

test('the keys have the form that clients know', () => {
  assert.match(project.publishable_key, /^sb_publishable_[\w-]{22}_[\w-]{8}$/)
  assert.match(project.secret_key, /^sb_secret_[\w-]{22}_[\w-]{8}$/)
})

for (const kind of kinds) {
  test(`over the ${kind} address, a key is needed and must be good`, async () => {
    const changed = project.publishable_key.slice(0, -1) + (project.publishable_key.endsWith('a') ? 'b' : 'a')
    assert.equal((await get(kind, '/settings')).status, 401)
    assert.equal((await get(kind, '/settings', { apikey: changed })).status, 401)
    assert.equal((await get(kind, '/settings', { apikey: 'nonsense' })).status, 401)
    assert.equal((await get(kind, '/settings', { apikey: project.publishable_key })).status, 200)
    assert.equal((await get(kind, '/settings', { authorization: `Bearer ${project.publishable_key}` })).status, 200)
    assert.equal((await get(kind, `/settings?apikey=${project.publishable_key}`)).status, 200)
  })

  test(`over the ${kind} address, a browser may not use the secret key`, async () => {
    const apikey = project.secret_key
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    assert.equal((await get(kind, '/admin/users', { apikey, 'user-agent': agent })).status, 401)
    assert.equal((await get(kind, '/admin/users', { apikey })).status, 200)
    assert.equal((await get(kind, '/settings', { apikey: project.publishable_key, 'user-agent': agent })).status, 200)
  })

  test(`over the ${kind} address, a browser's preflight is answered`, async () => {
    const res = await fetch(`${addresses[kind](project)}/auth/v1/token?grant_type=password`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'apikey,authorization,content-type,x-client-info,x-supabase-api-version',
      },
    })
    assert.ok([200, 204].includes(res.status), `${res.status}`)
    const listed = (name) => (res.headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/)
    assert.ok(['*', 'http://localhost:3000'].includes(res.headers.get('access-control-allow-origin')))
    assert.ok(listed('access-control-allow-methods').includes('post'))
    for (const name of ['apikey', 'authorization', 'content-type', 'x-client-info', 'x-supabase-api-version']) {
      assert.ok(listed('access-control-allow-headers').includes(name), name)
    }
    const answer = await get(kind, '/settings', { apikey: project.publishable_key, origin: 'http://localhost:3000' })
    assert.ok(['*', 'http://localhost:3000'].includes(answer.headers.get('access-control-allow-origin')))
    const refusal = await get(kind, '/settings', { origin: 'http://localhost:3000' })
    assert.ok(refusal.headers.get('access-control-allow-origin'), 'a refusal must be readable too')
  })
}

test('a further key works until it is deleted', async () => {
  const made = await manage('POST', `${keys}?reveal=true`, { type: 'secret', name: 'backend' })
  await sleep(1000)
  const admin = connect(project, 'path', { key: made.api_key })
  ok(await admin.auth.admin.listUsers())
  await manage('DELETE', `${keys}/${made.id}`)
  await sleep(1000)
  assert.equal((await admin.auth.admin.listUsers()).error?.status, 401)
})

test('legacy keys work once they are switched on, and no longer than that', async () => {
  await manage('PUT', `${keys}/legacy?enabled=true`)
  await sleep(1000)
  const legacy = (await manage('GET', `${keys}?reveal=true`)).filter((k) => k.type === 'legacy')
  const key = (name) => legacy.find((k) => k.name === name)?.api_key
  assert.equal(claimsOf(key('anon')).role, 'anon')
  assert.equal(claimsOf(key('service_role')).role, 'service_role')
  assert.equal(claimsOf(key('anon')).ref, project.ref)

  for (const kind of kinds) {
    const sb = connect(project, kind, { key: key('anon') })
    const email = freshEmail()
    ok(await sb.auth.signUp({ email, password }))
    assert.equal(ok(await sb.auth.getUser()).user.email, email)
    ok(await sb.auth.refreshSession())
    assert.ok((await connect(project, kind, { key: key('anon') }).auth.admin.listUsers()).error)
    const admin = connect(project, kind, { key: key('service_role') })
    assert.ok(ok(await admin.auth.admin.listUsers()).users.some((u) => u.email === email))
  }

  await manage('PUT', `${keys}/legacy?enabled=false`)
  await sleep(1000)
  for (const kind of kinds) {
    const { error } = await connect(project, kind, { key: key('anon') }).auth.signUp({ email: freshEmail(), password })
    assert.equal(error?.status, 401, kind)
  }
})

test('errors have both shapes', async () => {
  const url = `${addresses.path(project)}/auth/v1/token?grant_type=password`
  const init = { method: 'POST', body: JSON.stringify({ email: freshEmail(), password }) }
  const headers = { apikey: project.publishable_key, 'content-type': 'application/json' }
  const old = await (await fetch(url, { ...init, headers })).json()
  assert.deepEqual([old.code, old.error_code, typeof old.msg], [400, 'invalid_credentials', 'string'])
  const res = await fetch(url, { ...init, headers: { ...headers, 'x-supabase-api-version': '2024-01-01' } })
  assert.equal(res.headers.get('x-supabase-api-version'), '2024-01-01')
  const fresh = await res.json()
  assert.deepEqual([fresh.code, typeof fresh.message], ['invalid_credentials', 'string'])
  refused(await connect(project).auth.signInWithPassword({ email: freshEmail(), password }), 400, 'invalid_credentials')
})
