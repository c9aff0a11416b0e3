// The PKCE flow: the link has a code, which only the client that began can redeem.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds, open } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let project, inbox
before(async () => {
  project = await createProject('pkce')
  inbox = new Inbox(project)
})
after(() => deleteProject(project))

const flowType = 'pkce'

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    /** Signs up with PKCE and opens the link: the client and its code. */
    async function begun() {
      const sb = connect(project, kind, { flowType })
      const email = freshEmail()
      ok(await sb.auth.signUp({ email, password, options: { emailRedirectTo: 'http://localhost:3000/cb' } }))
      const res = await open(verifyLink(await inbox.next(email)))
      assert.equal(res.status, 303)
      assert.ok(res.location.startsWith('http://localhost:3000/cb?'), res.location)
      assert.equal(res.fragment.get('access_token'), null)
      const code = res.query.get('code')
      assert.ok(code, res.location)
      return { sb, email, code }
    }

    test('sign-up: the code becomes a session, once', async () => {
      const { sb, email, code } = await begun()
      const { user, session } = ok(await sb.auth.exchangeCodeForSession(code))
      assert.equal(user.email, email)
      assert.ok(user.email_confirmed_at)
      assert.ok(session.refresh_token)
      ok(await sb.auth.getUser())
      // The client has forgotten its verifier: begin again to have one, and use the code again.
      ok(await sb.auth.resetPasswordForEmail(email))
      refused(await sb.auth.exchangeCodeForSession(code), 404, 'flow_state_not_found')
    })

    test('another client cannot redeem the code', async () => {
      const { code } = await begun()
      const thief = connect(project, kind, { flowType })
      ok(await thief.auth.signUp({ email: freshEmail('thief'), password }))
      refused(await thief.auth.exchangeCodeForSession(code), 400, 'bad_code_verifier')
    })

    test('recovery tells the client that it is one', async () => {
      const email = freshEmail()
      ok(await connectAdmin(project, kind).auth.admin.createUser({ email, password, email_confirm: true }))
      const sb = connect(project, kind, { flowType })
      const events = []
      sb.auth.onAuthStateChange((event) => void events.push(event))
      ok(await sb.auth.resetPasswordForEmail(email, { redirectTo: 'http://localhost:3000/reset' }))
      const res = await open(verifyLink(await inbox.next(email)))
      ok(await sb.auth.exchangeCodeForSession(res.query.get('code')))
      assert.ok(events.includes('PASSWORD_RECOVERY'), `${events}`)
      ok(await sb.auth.updateUser({ password: 'recovered horse 3' }))
    })
  })
}
