// A project whose addresses need no confirmation.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds } from '../lib/address.js'
import { connect } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox } from '../lib/mail.js'
import { configure, createProject, deleteProject } from '../lib/reeve.js'

let project
before(async () => {
  project = await createProject('autoconfirm', { mailer_autoconfirm: true })
})
after(() => deleteProject(project))

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    test('sign-up gives a session at once, and no mail', async () => {
      const sb = connect(project, kind)
      const email = freshEmail()
      const { user, session } = ok(await sb.auth.signUp({ email, password }))
      assert.ok(session.access_token && session.refresh_token)
      assert.equal(session.token_type, 'bearer')
      assert.equal(session.expires_in, 3600)
      assert.ok(user.email_confirmed_at)
      assert.equal(user.user_metadata.email_verified, true)
      assert.deepEqual(user.app_metadata, { provider: 'email', providers: ['email'] })
      ok(await sb.auth.getUser())
      assert.deepEqual(await new Inbox(project).list(), [])
    })

    test('a taken address is told', async () => {
      const email = freshEmail()
      ok(await connect(project, kind).auth.signUp({ email, password }))
      refused(await connect(project, kind).auth.signUp({ email, password }), 422, 'user_already_exists')
      refused(await connect(project, kind).auth.signUp({ email: email.toUpperCase(), password }), 422, 'user_already_exists')
    })

    test('an address that is none is refused', async () => {
      refused(await connect(project, kind).auth.signUp({ email: 'nonsense', password }), 400, 'validation_failed')
    })
  })
}

test('a changed setting acts within a second', async () => {
  const sb = connect(project)
  await configure(project, { disable_signup: true })
  refused(await sb.auth.signUp({ email: freshEmail(), password }), 422, 'signup_disabled')
  await configure(project, { disable_signup: false, jwt_exp: 120 })
  const { session } = ok(await sb.auth.signUp({ email: freshEmail(), password }))
  assert.equal(session.expires_in, 120)
})
