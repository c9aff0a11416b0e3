// Two projects with the same users: no credential of one works in the other.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addresses, kinds, open } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let a, b
before(async () => {
  a = await createProject('side a')
  b = await createProject('side b')
})
after(async () => {
  await deleteProject(a)
  await deleteProject(b)
})

const ofB = { password: 'battery staple 9' }

/** The same address, and id, in both projects, with different passwords. */
async function twins() {
  const email = freshEmail('twin')
  const id = crypto.randomUUID()
  ok(await connectAdmin(a).auth.admin.createUser({ id, email, password, email_confirm: true }))
  ok(await connectAdmin(b).auth.admin.createUser({ id, email, ...ofB, email_confirm: true }))
  return { email, id }
}

/** Refused with 401 or 403, whatever the code. */
function unauthorized({ data, error }) {
  assert.ok(error, `accepted: ${JSON.stringify(data)}`)
  assert.ok([401, 403].includes(error.status), `${error.status} ${error.code}: ${error.message}`)
}

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    test('a password is good in its own project only', async () => {
      const { email } = await twins()
      refused(await connect(b, kind).auth.signInWithPassword({ email, password }), 400, 'invalid_credentials')
      refused(await connect(a, kind).auth.signInWithPassword({ email, ...ofB }), 400, 'invalid_credentials')
      ok(await connect(b, kind).auth.signInWithPassword({ email, ...ofB }))
    })

    test('a session is good in its own project only', async () => {
      const { email } = await twins()
      const { session } = ok(await connect(a, kind).auth.signInWithPassword({ email, password }))
      const other = connect(b, kind, { storageKey: `b-${kind}` })
      unauthorized(await other.auth.getUser(session.access_token))
      refused(await other.auth.refreshSession({ refresh_token: session.refresh_token }), 400, 'refresh_token_not_found')
      assert.ok((await other.auth.getClaims(session.access_token)).error, 'not by the keys of the other either')
      unauthorized(await connectAdmin(b, kind).auth.admin.signOut(session.access_token))
      ok(await connect(a, kind).auth.getUser(session.access_token))
      ok(await connect(a, kind).auth.refreshSession({ refresh_token: session.refresh_token }))
    })

    test('a mailed code or link is good in its own project only', async () => {
      const { email } = await twins()
      ok(await connect(a, kind).auth.resetPasswordForEmail(email))
      const mail = await new Inbox(a).next(email)
      assert.ok(!(await new Inbox(b).list()).some((m) => m.to === email))
      const link = verifyLink(mail)
      const token_hash = new URL(link).searchParams.get('token')
      const other = connect(b, kind)
      refused(await other.auth.verifyOtp({ email, token: mail.code, type: 'recovery' }), 403, 'otp_expired')
      refused(await other.auth.verifyOtp({ token_hash, type: 'recovery' }), 403, 'otp_expired')
      assert.ok(link.includes(a.ref))
      const { fragment } = await open(link.replace(a.ref, b.ref))
      assert.equal(fragment.get('error_code'), 'otp_expired')
      ok(await connect(a, kind).auth.verifyOtp({ email, token: mail.code, type: 'recovery' }))
    })

    test('users are listed in their own project only', async () => {
      const email = freshEmail('only-a')
      const { user } = ok(await connectAdmin(a, kind).auth.admin.createUser({ email, password, email_confirm: true }))
      refused(await connectAdmin(b, kind).auth.admin.getUserById(user.id), 404, 'user_not_found')
      const { users } = ok(await connectAdmin(b, kind).auth.admin.listUsers({ perPage: 1000 }))
      assert.ok(!users.some((u) => u.email === email))
      refused(await connectAdmin(b, kind).auth.admin.deleteUser(user.id), 404, 'user_not_found')
      ok(await connectAdmin(a, kind).auth.admin.getUserById(user.id))
    })
  })
}

for (const kind of ['path', 'host']) {
  test(`a key is refused at the other project's ${kind} address`, async () => {
    const { email, id } = await twins()
    unauthorized(await connect(b, kind, { key: a.publishable_key }).auth.signInWithPassword({ email, ...ofB }))
    unauthorized(await connect(b, kind, { key: a.secret_key }).auth.admin.getUserById(id))
    for (const key of [a.publishable_key, a.secret_key]) {
      const res = await fetch(`${addresses[kind](b)}/auth/v1/settings`, { headers: { apikey: key } })
      assert.equal(res.status, 401)
    }
  })
}

test('host and path must agree', async () => {
  const res = await fetch(`${addresses.host(a)}/p/${b.ref}/auth/v1/settings`, { headers: { apikey: b.publishable_key } })
  assert.equal(res.status, 401)
})

test('two keys of different projects are refused', async () => {
  for (const kind of kinds) {
    const res = await fetch(`${addresses[kind](b)}/auth/v1/admin/users`, {
      headers: { apikey: b.publishable_key, authorization: `Bearer ${a.secret_key}` },
    })
    assert.equal(res.status, 401, kind)
  }
})

test('a project that does not exist', async () => {
  const nobody = { ref: 'abcdefghijklmnopqrst' }
  for (const kind of ['path', 'host']) {
    const res = await fetch(`${addresses[kind](nobody)}/auth/v1/settings`, { headers: { apikey: a.publishable_key } })
    assert.ok([401, 404].includes(res.status), `${kind}: ${res.status}`)
  }
})
