// Second factors: an authenticator app, from enrollment to a policy that demands aal2.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox } from '../lib/mail.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'
import { totp } from '../lib/totp.js'

let project, inbox
before(async () => {
  project = await createProject('factors', {
    rate_limit_mfa: 100000, rate_limit_sms_sent: 1000, mfa_phone_enroll_enabled: true, mfa_phone_verify_enabled: true, mfa_phone_max_frequency: 0,
    mfa_recovery_codes_enroll_enabled: true, mfa_recovery_codes_verify_enabled: true,
    mailer_notifications_mfa_factor_enrolled_enabled: true, mailer_notifications_mfa_recovery_code_used_enabled: true,
  })
  inbox = new Inbox(project)
})
after(() => deleteProject(project))

let numbers = 0

const query = (sql, more) => manage('POST', `/v1/projects/${project.ref}/database/query`, { query: sql, ...more })

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    async function signedIn() {
      const email = freshEmail()
      ok(await connectAdmin(project, kind).auth.admin.createUser({ email, password, email_confirm: true }))
      const sb = connect(project, kind)
      const { user } = ok(await sb.auth.signInWithPassword({ email, password }))
      return { sb, email, id: user.id }
    }

    test('an app is enrolled, raises the session, guards changes, and is removed', async () => {
      const { sb, email } = await signedIn()
      const level = async () => ok(await sb.auth.mfa.getAuthenticatorAssuranceLevel())
      assert.deepEqual([(await level()).currentLevel, (await level()).nextLevel], ['aal1', 'aal1'])
      const factor = ok(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone', issuer: 'Shop' }))
      assert.match(factor.totp.qr_code, /^data:image\/svg\+xml;utf-8,<svg /)
      assert.match(factor.totp.uri, /^otpauth:\/\/totp\/Shop:/)
      refused(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone' }), 422, 'mfa_factor_name_conflict')
      refused(await sb.auth.mfa.challengeAndVerify({ factorId: factor.id, code: '000000' }), 422, 'mfa_verification_failed')
      const challenge = ok(await sb.auth.mfa.challenge({ factorId: factor.id }))
      assert.ok(challenge.expires_at > Date.now() / 1000)
      const code = totp(factor.totp.secret)
      ok(await sb.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code }))
      const raised = await level()
      assert.equal(raised.currentLevel, 'aal2')
      assert.deepEqual(raised.currentAuthenticationMethods.map((m) => m.method).sort(), ['password', 'totp'])
      const listed = ok(await sb.auth.mfa.listFactors())
      assert.deepEqual([listed.totp.length, listed.totp[0].friendly_name, listed.totp[0].status], [1, 'phone', 'verified'])
      ok(await sb.auth.refreshSession())
      assert.equal((await level()).currentLevel, 'aal2', 'a refresh keeps the level')

      const low = connect(project, kind)
      ok(await low.auth.signInWithPassword({ email, password }))
      const asked = ok(await low.auth.mfa.getAuthenticatorAssuranceLevel())
      assert.deepEqual([asked.currentLevel, asked.nextLevel], ['aal1', 'aal2'])
      refused(await low.auth.updateUser({ password: 'another horse 2' }), 401, 'insufficient_aal')
      refused(await low.auth.mfa.unenroll({ factorId: factor.id }), 422, 'insufficient_aal')
      refused(await low.auth.mfa.challengeAndVerify({ factorId: factor.id, code }), 422, 'mfa_verification_failed')
      ok(await low.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret, 1) }))
      ok(await low.auth.mfa.unenroll({ factorId: factor.id }))
      ok(await low.auth.refreshSession())
      assert.equal(ok(await low.auth.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal1')
    })

    test('a code in a text message raises the session', async () => {
      const { sb, email } = await signedIn()
      const phone = `49170${1000000 + numbers++}`
      const factor = ok(await sb.auth.mfa.enroll({ factorType: 'phone', phone: `+${phone}`, friendlyName: 'mobile' }))
      assert.deepEqual([factor.type, factor.phone], ['phone', `+${phone}`])
      const challenge = ok(await sb.auth.mfa.challenge({ factorId: factor.id, channel: 'sms' }))
      assert.equal(challenge.type, 'phone')
      const { code } = await inbox.next(phone)
      const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
      refused(await sb.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: wrong }), 422, 'mfa_verification_failed')
      ok(await sb.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code }))
      const level = ok(await sb.auth.mfa.getAuthenticatorAssuranceLevel())
      assert.deepEqual([level.currentLevel, level.currentAuthenticationMethods.map((m) => m.method).sort()], ['aal2', ['mfa/phone', 'password']])
      assert.match((await inbox.next(email)).text, /A phone number was added/)
      const listed = ok(await sb.auth.mfa.listFactors())
      assert.deepEqual([listed.phone.length, listed.phone[0].phone, listed.phone[0].status], [1, phone, 'verified'])
      refused(await sb.auth.mfa.enroll({ factorType: 'phone', phone }), 422, 'mfa_verified_factor_exists')
      refused(await sb.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code }), 422, 'mfa_challenge_expired')
      ok(await sb.auth.mfa.unenroll({ factorId: factor.id }))
    })

    const experimental = { recoveryCodes: true }
    const known = 'recoveryCodes' in connect({ url: 'http://localhost', ref: 'x', publishable_key: 'sb_publishable_x' }, kind, { url: 'http://localhost' }).auth.mfa
    test('recovery codes stand in for a lost factor', { skip: !known && 'this release of the client has none' }, async () => {
      const { email, id } = await signedIn()
      const sb = connect(project, kind, { experimental })
      ok(await sb.auth.signInWithPassword({ email, password }))
      const { recoveryCodes } = sb.auth.mfa
      refused(await recoveryCodes.getStatus(), 404, 'mfa_factor_not_found')
      refused(await recoveryCodes.generate(), 403, 'insufficient_aal')
      const factor = ok(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'app' }))
      ok(await sb.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
      const made = ok(await recoveryCodes.generate({ friendlyName: 'paper' }))
      assert.deepEqual([made.codes.length, made.total, made.type, made.friendly_name], [10, 10, 'recovery_code', 'paper'])
      refused(await recoveryCodes.generate(), 422, 'mfa_verified_factor_exists')
      refused(await sb.auth.mfa.unenroll({ factorId: factor.id }), 422, 'mfa_recovery_codes_sole_factor')
      assert.equal(ok(await sb.auth.mfa.listFactors()).recovery_code.length, 1)

      const low = connect(project, kind, { experimental })
      ok(await low.auth.signInWithPassword({ email, password }))
      refused(await low.auth.mfa.recoveryCodes.verify({ code: 'aaaa-aaaa-aaaa-aaaa' }), 422, 'mfa_verification_failed')
      ok(await low.auth.mfa.recoveryCodes.verify({ code: made.codes[0].toUpperCase().replace(/.{4}(?=.)/g, '$&-') }))
      const level = ok(await low.auth.mfa.getAuthenticatorAssuranceLevel())
      assert.deepEqual([level.currentLevel, level.currentAuthenticationMethods.map((m) => m.method).sort()], ['aal2', ['mfa/recovery_code', 'password']])
      const status = ok(await low.auth.mfa.recoveryCodes.getStatus())
      assert.deepEqual([status.id, status.total, status.remaining], [made.id, 10, 9])
      refused(await low.auth.mfa.recoveryCodes.verify({ code: made.codes[0] }), 422, 'mfa_verification_failed')
      const again = ok(await low.auth.mfa.recoveryCodes.regenerate())
      assert.deepEqual([again.id, again.codes.length, again.codes.some((c) => made.codes.includes(c))], [made.id, 10, false])
      assert.equal(ok(await low.auth.mfa.recoveryCodes.unenroll()).id, made.id)
      ok(await sb.auth.mfa.recoveryCodes.generate())
      const admin = connectAdmin(project, kind)
      const codes = ok(await admin.auth.admin.mfa.listFactors({ userId: id })).factors.find((f) => f.factor_type === 'recovery_code')
      ok(await admin.auth.admin.mfa.deleteFactor({ userId: id, id: codes.id }))
      refused(await sb.auth.mfa.recoveryCodes.getStatus(), 404, 'mfa_factor_not_found')
      const subjects = []
      for (let n = 0; n < 4; n++) subjects.push((await inbox.next(email)).subject.replace('factors ', ''))
      assert.deepEqual(subjects.sort(), ['A recovery code of your account was used', ...Array(3).fill('A second factor was added to your account')])
    })

    test('a policy opens at aal2 and closes when the factor goes', async () => {
      const table = `vault_${kind.replace(/\W/g, '_')}`
      const { sb, id } = await signedIn()
      await query(`create table ${table} (id int, owner uuid); alter table ${table} enable row level security;
        create policy strong on ${table} to authenticated using (owner = auth.uid() and (select auth.jwt() ->> 'aal') = 'aal2');
        insert into ${table} values (1, '${id}')`)
      const seen = async () => {
        const { session } = ok(await sb.auth.getSession())
        return query(`select id from ${table}`, { read_only: true, run_as: { token: session.access_token } })
      }
      assert.deepEqual(await seen(), [])
      const factor = ok(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone' }))
      ok(await sb.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
      assert.deepEqual(await seen(), [{ id: 1 }])
      const admin = connectAdmin(project, kind)
      assert.equal(ok(await admin.auth.admin.mfa.listFactors({ userId: id })).factors.length, 1)
      ok(await admin.auth.admin.mfa.deleteFactor({ userId: id, id: factor.id }))
      ok(await sb.auth.refreshSession())
      assert.deepEqual(await seen(), [])
    })
  })
}
