// The project's policy of second factors: a session that may only enroll one, and
// auth.require_aal2() in a policy of the database.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'
import { totp } from '../lib/totp.js'

let project
before(async () => {
  project = await createProject('policy of factors', { rate_limit_mfa: 100000, mfa_policy: 'required' })
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
    const claims = async (sb) => {
      const { session } = ok(await sb.auth.getSession())
      return JSON.parse(Buffer.from(session.access_token.split('.')[1], 'base64url'))
    }

    test('a session may only enroll a factor, and then everything', async () => {
      const { sb, email } = await signedIn()
      const first = await claims(sb)
      assert.deepEqual([first.mfa_required, first.aal, first.role], ['enroll', 'aal1', 'authenticated'])
      refused(await sb.auth.updateUser({ data: { name: 'Ann' } }), 403, 'insufficient_aal')
      refused(await sb.auth.reauthenticate(), 403, 'insufficient_aal')
      ok(await sb.auth.getUser())
      ok(await sb.auth.refreshSession())
      assert.equal((await claims(sb)).mfa_required, 'enroll')
      const unused = ok(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'mistake' }))
      ok(await sb.auth.mfa.unenroll({ factorId: unused.id }))
      const factor = ok(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone' }))
      ok(await sb.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
      assert.equal((await claims(sb)).mfa_required, undefined)
      ok(await sb.auth.updateUser({ data: { name: 'Ann' } }))

      const again = connect(project, kind)
      ok(await again.auth.signInWithPassword({ email, password }))
      assert.equal((await claims(again)).mfa_required, 'verify')
      refused(await again.auth.updateUser({ data: { name: 'Bob' } }), 403, 'insufficient_aal')
      refused(await again.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'another' }), 403, 'insufficient_aal')
      const listed = ok(await again.auth.mfa.listFactors())
      ok(await again.auth.mfa.challengeAndVerify({ factorId: listed.totp[0].id, code: totp(factor.totp.secret, 1) }))
      ok(await again.auth.updateUser({ data: { name: 'Bob' } }))
      ok(await again.auth.signOut())
    })

    test('a restrictive policy opens at aal2 and closes with the session', async () => {
      const table = `payouts_${kind.replace(/\W/g, '_')}`
      const { sb } = await signedIn()
      await query(`create table ${table} (id int); alter table ${table} enable row level security;
        create policy everyone on ${table} to authenticated using (true);
        create policy "two factors" on ${table} as restrictive for all to authenticated using ((select auth.require_aal2()));
        insert into ${table} values (1)`)
      const seen = async (token) => query(`select id from ${table}`, { read_only: true, run_as: { token } })
      const token = async () => ok(await sb.auth.getSession()).session.access_token
      assert.deepEqual(await seen(await token()), [])
      const factor = ok(await sb.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone' }))
      ok(await sb.auth.mfa.challengeAndVerify({ factorId: factor.id, code: totp(factor.totp.secret) }))
      const high = await token()
      assert.deepEqual(await seen(high), [{ id: 1 }])
      ok(await sb.auth.signOut())
      assert.deepEqual(await seen(high), [])
    })
  })
}
