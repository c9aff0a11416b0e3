// Changes of a user's account, and its recovery.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds, open } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused, sessionOf } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let project, inbox
before(async () => {
  project = await createProject('accounts')
  inbox = new Inbox(project)
})
after(() => deleteProject(project))

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    async function signedIn(email = freshEmail()) {
      const admin = connectAdmin(project, kind)
      ok(await admin.auth.admin.createUser({ email, password, email_confirm: true }))
      return { sb: await signIn(email), email }
    }

    async function signIn(email, pass = password) {
      const sb = connect(project, kind)
      ok(await sb.auth.signInWithPassword({ email, password: pass }))
      return sb
    }

    test('metadata is merged, null takes a member away', async () => {
      const { sb } = await signedIn()
      ok(await sb.auth.updateUser({ data: { a: 1, b: { c: [1, 'x'] } } }))
      const { user } = ok(await sb.auth.updateUser({ data: { a: null, d: 'e' } }))
      assert.deepEqual(user.user_metadata.b, { c: [1, 'x'] })
      assert.equal(user.user_metadata.d, 'e')
      assert.ok(!('a' in user.user_metadata))
      assert.deepEqual(ok(await sb.auth.getUser()).user.user_metadata, user.user_metadata)
    })

    test('a new password ends the other sessions', async () => {
      const { sb, email } = await signedIn()
      const other = await signIn(email)
      refused(await sb.auth.updateUser({ password }), 422, 'same_password')
      ok(await sb.auth.updateUser({ password: 'another horse 2' }))
      ok(await sb.auth.getUser())
      ok(await sb.auth.refreshSession())
      assert.equal((await other.auth.getUser()).error?.name, 'AuthSessionMissingError')
      refused(await connect(project, kind).auth.signInWithPassword({ email, password }), 400, 'invalid_credentials')
      await signIn(email, 'another horse 2')
    })

    test('a weak password is refused with its reasons', async () => {
      const { sb } = await signedIn()
      const update = refused(await sb.auth.updateUser({ password: 'abc' }), 422, 'weak_password')
      assert.equal(update.name, 'AuthWeakPasswordError')
      assert.deepEqual(update.reasons, ['length'])
      const signup = refused(await sb.auth.signUp({ email: freshEmail(), password: 'abc' }), 422, 'weak_password')
      assert.deepEqual(signup.reasons, ['length'])
    })

    test('a change of address waits for both links', async () => {
      const { sb, email } = await signedIn()
      const changed = freshEmail('new')
      const { user } = ok(await sb.auth.updateUser({ email: changed }))
      assert.equal(user.email, email)
      assert.equal(user.new_email, changed)
      const first = await open(verifyLink(await inbox.next(changed)))
      assert.equal(first.status, 303)
      assert.ok(first.fragment.get('message'), first.location)
      assert.equal(first.fragment.get('access_token'), null)
      assert.equal(ok(await sb.auth.getUser()).user.email, email)

      const second = await open(verifyLink(await inbox.next(email)))
      assert.equal(second.fragment.get('type'), 'email_change')
      const fresh = connect(project, kind)
      const after = ok(await fresh.auth.setSession(sessionOf(second))).user
      assert.equal(after.email, changed)
      assert.equal(after.id, user.id)
      assert.ok(!after.new_email)
      await signIn(changed)
      refused(await connect(project, kind).auth.signInWithPassword({ email, password }), 400, 'invalid_credentials')
    })

    test('a change of address by codes, the current address first', async () => {
      const { sb, email } = await signedIn()
      const changed = freshEmail('new')
      ok(await sb.auth.updateUser({ email: changed }))
      const ofCurrent = await inbox.next(email)
      const ofNew = await inbox.next(changed)
      const half = await sb.auth.verifyOtp({ email, token: ofCurrent.code, type: 'email_change' })
      assert.equal(half.error, null)
      assert.equal(half.data.session, null)
      const { user, session } = ok(await sb.auth.verifyOtp({ email: changed, token: ofNew.code, type: 'email_change' }))
      assert.equal(user.email, changed)
      assert.ok(session.access_token)
    })

    test('an address that somebody has cannot be taken over', async () => {
      const { email } = await signedIn()
      const { sb } = await signedIn()
      refused(await sb.auth.updateUser({ email }), 422, 'email_exists')
    })

    test('recovery by link leads to a new password', async () => {
      const { email } = await signedIn()
      const sb = connect(project, kind)
      ok(await sb.auth.resetPasswordForEmail(email, { redirectTo: 'http://localhost:3000/reset' }))
      const res = await open(verifyLink(await inbox.next(email)))
      assert.ok(res.location.startsWith('http://localhost:3000/reset#'), res.location)
      assert.equal(res.fragment.get('type'), 'recovery')
      ok(await sb.auth.setSession(sessionOf(res)))
      ok(await sb.auth.updateUser({ password: 'recovered horse 3' }))
      await signIn(email, 'recovered horse 3')
    })

    test('recovery by code', async () => {
      const { email } = await signedIn()
      const sb = connect(project, kind)
      ok(await sb.auth.resetPasswordForEmail(email))
      const { session } = ok(await sb.auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'recovery' }))
      assert.equal(session.user.email, email)
    })

    test('recovery of an unknown address answers the same, and mails nobody', async () => {
      const email = freshEmail('nobody')
      assert.deepEqual(ok(await connect(project, kind).auth.resetPasswordForEmail(email)), {})
      assert.ok(!(await inbox.list()).some((m) => m.to === email))
    })

    test('a resent mail takes the place of the first', async () => {
      const sb = connect(project, kind)
      const email = freshEmail()
      ok(await sb.auth.signUp({ email, password }))
      const first = await inbox.next(email)
      ok(await sb.auth.resend({ type: 'signup', email }))
      const second = await inbox.next(email)
      refused(
        await sb.auth.verifyOtp({ token_hash: new URL(verifyLink(first)).searchParams.get('token'), type: 'signup' }),
        403,
        'otp_expired',
      )
      ok(await sb.auth.verifyOtp({ email, token: second.code, type: 'signup' }))
    })

    test('of two sign-ups with an address the confirmed one counts', async () => {
      const sb = connect(project, kind)
      const email = freshEmail()
      ok(await connect(project, kind).auth.signUp({ email, password: 'attacker 12345', options: { data: { by: 'attacker' } } }))
      const first = await inbox.next(email)
      ok(await sb.auth.signUp({ email, password, options: { data: { by: 'owner' } } }))
      const { user } = ok(await sb.auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'signup' }))
      assert.equal(user.user_metadata.by, 'owner')
      refused(await connect(project, kind).auth.verifyOtp({ email, token: first.code, type: 'signup' }), 403, 'otp_expired')
      refused(await connect(project, kind).auth.signInWithPassword({ email, password: 'attacker 12345' }), 400, 'invalid_credentials')
      await signIn(email)
    })

    test('signing up with a taken address looks like success', async () => {
      const { email } = await signedIn()
      const { user, session } = ok(await connect(project, kind).auth.signUp({ email, password: 'attacker 12345' }))
      assert.equal(session, null)
      assert.equal(user.identities.length, 1)
      assert.equal(user.email, email)
      refused(await connect(project, kind).auth.signInWithPassword({ email, password: 'attacker 12345' }), 400, 'invalid_credentials')
      await signIn(email)
    })
  })
}
