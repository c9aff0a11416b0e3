// The helper that gives each test a project of its own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reeve } from './project.js'

const { manage, create, remove, projectFor } = reeve()

async function signUp(project, email) {
  const res = await fetch(`${project.url}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: project.publishable_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'correct horse battery' }),
  })
  return { status: res.status, body: await res.json() }
}

const gone = async (ref) => {
  try {
    return (await manage('GET', `/v1/projects/${ref}`)).status === 'GOING_DOWN'
  } catch (error) {
    return error.status === 404
  }
}

test('tests at the same time have the same user, each in a project of its own', async (t) => {
  const refs = []
  await Promise.all(
    Array.from({ length: 4 }, (_, i) =>
      t.test(`test ${i}`, async (t) => {
        const project = await projectFor(t, { config: { mailer_autoconfirm: true } })
        refs.push(project.ref)
        const { status, body } = await signUp(project, 'jane@example.com')
        assert.equal(status, 200, JSON.stringify(body))
        assert.ok(body.access_token)
      }),
    ),
  )
  assert.equal(new Set(refs).size, 4)
  for (const ref of refs) assert.ok(await gone(ref), `${ref} outlived its test`)
})

test('a project has its secrets, and a time to live that can be changed', async (t) => {
  const project = await projectFor(t, { ttl: '5m' })
  assert.match(project.secret_key, /^sb_secret_/)
  assert.match(project.db_url, /^postgres/)
  const left = Date.parse(project.expires_at) - Date.now()
  assert.ok(left > 0 && left <= 5 * 60_000, project.expires_at)
  const { expires_at } = await manage('PATCH', `/v1/projects/${project.ref}`, { ttl: '2h' })
  assert.ok(Date.parse(expires_at) > Date.parse(project.expires_at))
})

test('deleting twice is no error, and refusals have a code', async () => {
  const project = await create()
  await remove(project)
  await remove(project)
  await assert.rejects(create({ ttl: '1s' }), { status: 400, code: 'validation_failed' })
  assert.throws(() => reeve({ url: '' }), /REEVE_URL/)
})
