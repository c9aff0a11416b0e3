// Second factors: an authenticator app, from enrollment to a policy that demands aal2.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'
import { totp } from '../lib/totp.js'

let project
before(async () => {
  project = await createProject('factors', { rate_limit_mfa: 1000 })
})
after(() => deleteProject(project))

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
      ok(await sb.auth.mfa.verify({ factorId: factor.id, challengeId: challenge.id, code: totp(factor.totp.secret) }))
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
      refused(await low.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }), 422, 'mfa_verification_failed')
      ok(await low.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret, 1) }))
      ok(await low.auth.mfa.unenroll({ factorId: factor.id }))
      ok(await low.auth.refreshSession())
      assert.equal(ok(await low.auth.mfa.getAuthenticatorAssuranceLevel()).currentLevel, 'aal1')
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
