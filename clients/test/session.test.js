// Signing up, in and out, and sessions.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds, open } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { claimsOf, freshEmail, ok, password, refused, sessionOf } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let project, inbox
before(async () => {
  project = await createProject('sessions')
  inbox = new Inbox(project)
})
after(() => deleteProject(project))

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    /** A client that is signed in as a new user. */
    async function signedIn(email = freshEmail(), options = {}) {
      const admin = connectAdmin(project, kind)
      ok(await admin.auth.admin.createUser({ email, password, email_confirm: true }))
      const sb = connect(project, kind, options)
      ok(await sb.auth.signInWithPassword({ email, password }))
      return { sb, email }
    }

    /** Another client of the same user. */
    async function another(email) {
      const sb = connect(project, kind)
      ok(await sb.auth.signInWithPassword({ email, password }))
      return sb
    }

    test('sign-up gives a user, the code from the mail gives a session', async () => {
      const sb = connect(project, kind)
      const email = freshEmail()
      const { user, session } = ok(await sb.auth.signUp({ email, password, options: { data: { nick: 'n' } } }))
      assert.equal(session, null)
      assert.equal(user.email, email)
      assert.equal(user.user_metadata.nick, 'n')
      assert.equal(user.identities.length, 1)
      assert.ok(user.confirmation_sent_at)
      assert.equal(user.email_confirmed_at, undefined)
      refused(await sb.auth.signInWithPassword({ email, password }), 400, 'email_not_confirmed')

      const mail = await inbox.next(email)
      assert.match(mail.code, /^\d{6}$/)
      assert.equal(mail.channel, 'email')
      assert.ok(mail.subject && mail.html.includes(mail.code) && mail.text.includes(mail.code))
      const verified = ok(await sb.auth.verifyOtp({ email, token: mail.code, type: 'signup' }))
      assert.equal(verified.user.id, user.id)
      assert.ok(verified.user.email_confirmed_at)
      assert.ok(verified.session.access_token)
      assert.equal(ok(await sb.auth.getUser()).user.id, user.id)
      refused(await connect(project, kind).auth.verifyOtp({ email, token: mail.code, type: 'signup' }), 403, 'otp_expired')
    })

    test('the link from the mail redirects with a session, once', async () => {
      const sb = connect(project, kind)
      const email = freshEmail()
      ok(await sb.auth.signUp({ email, password, options: { emailRedirectTo: 'http://localhost:3000/welcome' } }))
      const link = verifyLink(await inbox.next(email))
      const first = await open(link)
      assert.equal(first.status, 303)
      assert.ok(first.location.startsWith('http://localhost:3000/welcome#'), first.location)
      assert.equal(first.fragment.get('token_type'), 'bearer')
      assert.equal(first.fragment.get('expires_in'), '3600')
      assert.equal(first.fragment.get('type'), 'signup')
      assert.ok(Number(first.fragment.get('expires_at')) > Date.now() / 1000)
      const { user } = ok(await sb.auth.setSession(sessionOf(first)))
      assert.equal(user.email, email)

      const second = await open(link)
      assert.equal(second.status, 303)
      assert.equal(second.fragment.get('error'), 'access_denied')
      assert.equal(second.fragment.get('error_code'), 'otp_expired')
      assert.ok(second.fragment.get('error_description'))
    })

    test('a redirect that is not allowed leads to the site', async () => {
      const sb = connect(project, kind)
      const email = freshEmail()
      ok(await sb.auth.signUp({ email, password, options: { emailRedirectTo: 'http://evil.example/' } }))
      const { location } = await open(verifyLink(await inbox.next(email)))
      assert.match(location, /^http:\/\/localhost:3000\/?#/)
    })

    test('sign-in with a wrong password, or as nobody, is refused alike', async () => {
      const { sb, email } = await signedIn()
      const wrong = refused(await sb.auth.signInWithPassword({ email, password: 'nope nope' }), 400, 'invalid_credentials')
      assert.equal(wrong.name, 'AuthApiError')
      const nobody = refused(await sb.auth.signInWithPassword({ email: freshEmail(), password }), 400, 'invalid_credentials')
      assert.equal(nobody.message, wrong.message)
    })

    test('claims are verified with the published key', async () => {
      // The client caches published keys by storage key, for the whole process.
      const { sb, email } = await signedIn(freshEmail(), { storageKey: `claims-${kind}` })
      const { session } = ok(await sb.auth.getSession())
      sb.requests.length = 0
      const { claims, header } = ok(await sb.auth.getClaims())
      assert.equal(header.alg, 'ES256')
      assert.deepEqual(
        sb.requests.map((r) => r.path.replace(/^.*\/auth\/v1/, '')),
        ['/.well-known/jwks.json'],
        'verified here, without asking for the user',
      )
      assert.equal(claims.sub, session.user.id)
      assert.equal(claims.email, email)
      assert.equal(claims.role, 'authenticated')
      assert.equal(claims.aud, 'authenticated')
      assert.equal(claims.aal, 'aal1')
      assert.equal(claims.is_anonymous, false)
      assert.equal(claims.exp - claims.iat, 3600)
      assert.equal(claims.amr[0].method, 'password')
      assert.ok(claims.session_id)
      assert.match(claims.iss, /\/auth\/v1$/)
      assert.ok(claims.iss.includes(project.ref))

      const parts = session.access_token.split('.')
      const forged = [parts[0], Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url'), parts[2]].join('.')
      assert.ok((await sb.auth.getClaims(forged)).error)
      refused(await sb.auth.getUser(forged), 403, 'bad_jwt')
    })

    test('a session made here is good over every address', async () => {
      const { sb } = await signedIn()
      const { session } = ok(await sb.auth.getSession())
      for (const other of kinds) {
        const { user } = ok(await connect(project, other).auth.setSession(session))
        assert.equal(user.id, session.user.id, other)
      }
    })

    test('refreshing rotates the token, and the old one answers with the active one', async () => {
      const { sb } = await signedIn()
      const old = ok(await sb.auth.getSession()).session
      const { session } = ok(await sb.auth.refreshSession())
      assert.notEqual(session.refresh_token, old.refresh_token)
      assert.notEqual(session.access_token, old.access_token)
      assert.equal(session.user.id, old.user.id)
      assert.equal(claimsOf(session.access_token).session_id, claimsOf(old.access_token).session_id)

      for (const round of [1, 2]) {
        const again = ok(await connect(project, kind).auth.refreshSession({ refresh_token: old.refresh_token }))
        assert.equal(again.session.refresh_token, session.refresh_token, `round ${round}`)
      }
      // An access token that has expired makes setSession refresh.
      const expired = { ...old, access_token: withExpiry(old.access_token, 1) }
      ok(await connect(project, kind).auth.setSession(expired))
      refused(
        await connect(project, kind).auth.refreshSession({ refresh_token: 'aaaaaaaaaaaa' }),
        400,
        'refresh_token_not_found',
      )
    })

    test('ten tabs that refresh with one token all stay signed in', async () => {
      const { sb } = await signedIn()
      const { session } = ok(await sb.auth.getSession())
      const tabs = Array.from({ length: 10 }, () => connect(project, kind))
      const answers = await Promise.all(tabs.map((tab) => tab.auth.refreshSession({ refresh_token: session.refresh_token })))
      const tokens = new Set(answers.map((a) => ok(a).session.refresh_token))
      assert.equal(tokens.size, 1, 'all hold the active token')
      for (const tab of tabs) ok(await tab.auth.getUser())
      ok(await tabs[3].auth.refreshSession())
    })

    test('sign-out ends this session, the others, or all', async () => {
      const { sb, email } = await signedIn()
      const b = await another(email)
      const c = await another(email)
      const token = ok(await sb.auth.getSession()).session

      assert.equal((await sb.auth.signOut({ scope: 'local' })).error, null)
      assert.equal((await sb.auth.getSession()).data.session, null)
      await gone(token)
      ok(await b.auth.getUser())

      const ofC = ok(await c.auth.getSession()).session
      assert.equal((await b.auth.signOut({ scope: 'others' })).error, null)
      ok(await b.auth.getUser())
      await gone(ofC)

      const ofB = ok(await b.auth.getSession()).session
      const d = await another(email)
      const ofD = ok(await d.auth.getSession()).session
      assert.equal((await b.auth.signOut()).error, null)
      await gone(ofB)
      await gone(ofD)
    })

    /** Neither token of a session is good for anything. */
    async function gone(session) {
      const sb = connect(project, kind)
      const { error } = await sb.auth.getUser(session.access_token)
      assert.equal(error?.name, 'AuthSessionMissingError', 'the client knows session_not_found')
      assert.equal(sb.requests.at(-1).status, 403)
      const refresh = await sb.auth.refreshSession({ refresh_token: session.refresh_token })
      assert.equal(refresh.error?.status, 400)
    }

    test('the client tells what happens', async () => {
      const { email } = await signedIn()
      const sb = connect(project, kind)
      const events = []
      const { data } = sb.auth.onAuthStateChange((event, session) => void events.push([event, session?.user.email]))
      await sb.auth.getSession()
      ok(await sb.auth.signInWithPassword({ email, password }))
      ok(await sb.auth.refreshSession())
      ok(await sb.auth.updateUser({ data: { a: 1 } }))
      await sb.auth.signOut()
      ok(await sb.auth.resetPasswordForEmail(email))
      ok(await sb.auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'recovery' }))
      data.subscription.unsubscribe()
      assert.deepEqual(events, [
        ['INITIAL_SESSION', undefined],
        ['SIGNED_IN', email],
        ['TOKEN_REFRESHED', email],
        ['USER_UPDATED', email],
        ['SIGNED_OUT', undefined],
        ['PASSWORD_RECOVERY', email],
      ])
    })
  })
}

/** A token that says it expires at exp; its signature is no longer good. */
function withExpiry(jwt, exp) {
  const [header, , signature] = jwt.split('.')
  const claims = Buffer.from(JSON.stringify({ ...claimsOf(jwt), exp })).toString('base64url')
  return [header, claims, signature].join('.')
}

test('the URL that the project was created with works', async () => {
  const sb = connect(project, 'path', { url: project.url })
  refused(await sb.auth.signInWithPassword({ email: freshEmail(), password }), 400, 'invalid_credentials')
})
