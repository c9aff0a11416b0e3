// Sign-in without a password: links and codes by mail, anonymous users,
// identity providers, ID tokens, and the linking of identities.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { addresses, kinds, open } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { claimsOf, freshEmail, ok, password, refused, sessionOf } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { Provider, Visitor } from '../lib/provider.js'
import { createProject, deleteProject } from '../lib/reeve.js'

const home = 'http://localhost:3000/welcome'

let project, inbox, provider, db
before(async () => {
  project = await createProject('sign-ins', {
    external_anonymous_users_enabled: true, rate_limit_anonymous_users: 100000, security_manual_linking_enabled: true,
    security_update_password_require_reauthentication: true,
  })
  inbox = new Inbox(project)
  provider = await Provider.open()
  for (const [type, identifier, more] of [
    ['oidc', 'custom:openid', {}],
    ['oauth2', 'custom:plain', { scopes: ['profile'], attribute_mapping: { email_verified: 'verified_address' } }],
  ]) {
    await custom('POST', '', provider.definition(type, identifier, more))
  }
  db = new pg.Client({ connectionString: project.db_url })
  await db.connect()
})
after(async () => {
  await db?.end()
  await provider?.close()
  await deleteProject(project)
})

/** Calls the admin API of custom providers. */
async function custom(method, path, body) {
  const res = await fetch(`${addresses.path(project)}/auth/v1/admin/custom-providers${path}`, {
    method, headers: { apikey: project.secret_key, 'content-type': 'application/json' }, body: JSON.stringify(body),
  })
  const text = await res.text()
  assert.ok(res.ok, `${method} ${path}: ${res.status} ${text}`)
  return text && JSON.parse(text)
}

/** Somebody with an account at the provider. */
const person = (email = freshEmail('person')) => ({ sub: randomUUID(), email, email_verified: true, name: 'Ann' })

const tokenHash = (mail) => new URL(verifyLink(mail)).searchParams.get('token')

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    const client = (options) => connect(project, kind, options)

    async function known() {
      const email = freshEmail()
      ok(await connectAdmin(project, kind).auth.admin.createUser({ email, password, email_confirm: true }))
      return email
    }

    async function signedIn() {
      const email = await known()
      const sb = client()
      ok(await sb.auth.signInWithPassword({ email, password }))
      return { sb, email }
    }

    // A browser sends no key, so an app that addresses the project by its key
    // names it in the address.
    const named = () => (kind === 'key' ? { apikey: project.publishable_key } : {})

    describe('signInWithOtp', () => {
      test('a new user signs in by the code, with data', async () => {
        const sb = client()
        const email = freshEmail('otp')
        const { user, session } = ok(await sb.auth.signInWithOtp({ email, options: { data: { nick: 'n' } } }))
        assert.equal(user, null)
        assert.equal(session, null)
        const { code } = await inbox.next(email)
        const verified = ok(await sb.auth.verifyOtp({ email, token: code, type: 'email' }))
        assert.equal(verified.user.user_metadata.nick, 'n')
        assert.ok(verified.user.email_confirmed_at)
        assert.equal(ok(await sb.auth.getUser()).user.email, email)
        refused(await client().auth.verifyOtp({ email, token: code, type: 'email' }), 403, 'otp_expired')
      })

      test('a known user signs in by the hash of the link', async () => {
        const email = await known()
        const sb = client()
        ok(await sb.auth.signInWithOtp({ email }))
        const token_hash = tokenHash(await inbox.next(email))
        const { session } = ok(await sb.auth.verifyOtp({ token_hash, type: 'email' }))
        assert.equal(session.user.email, email)
        assert.equal(claimsOf(session.access_token).amr[0].method, 'otp')
        refused(await client().auth.verifyOtp({ token_hash, type: 'email' }), 403, 'otp_expired')
      })

      test('the link leads back to the app', async () => {
        const email = await known()
        const sb = client()
        ok(await sb.auth.signInWithOtp({ email, options: { emailRedirectTo: home } }))
        const res = await open(verifyLink(await inbox.next(email)))
        assert.ok(res.location.startsWith(`${home}#`), res.location)
        assert.equal(res.fragment.get('type'), 'magiclink')
        assert.equal(ok(await sb.auth.setSession(sessionOf(res))).user.email, email)
      })

      test('with PKCE the link has a code', async () => {
        const email = await known()
        const sb = client({ flowType: 'pkce' })
        ok(await sb.auth.signInWithOtp({ email, options: { emailRedirectTo: home } }))
        const res = await open(verifyLink(await inbox.next(email)))
        const { session } = ok(await sb.auth.exchangeCodeForSession(res.query.get('code')))
        assert.equal(session.user.email, email)
      })

      test('shouldCreateUser false creates nobody, and does not say so', async () => {
        const email = freshEmail('stranger')
        ok(await client().auth.signInWithOtp({ email, options: { shouldCreateUser: false } }))
        assert.ok(!(await inbox.list()).some((m) => m.to === email))
        const { rows } = await db.query('select from auth.users where email = $1', [email])
        assert.equal(rows.length, 0)
      })
    })

    describe('verifyOtp', () => {
      const links = () => connectAdmin(project, kind).auth.admin
      for (const [type, params] of Object.entries({
        signup: async () => ({ type: 'signup', email: freshEmail(), password }),
        invite: async () => ({ type: 'invite', email: freshEmail() }),
        magiclink: async () => ({ type: 'magiclink', email: await known() }),
        recovery: async () => ({ type: 'recovery', email: await known() }),
      })) {
        test(`${type}: by hash, and by code`, async () => {
          for (const by of ['hash', 'code']) {
            const asked = await params()
            const { properties } = ok(await links().generateLink(asked))
            assert.equal(properties.verification_type, type)
            const sb = client()
            const { user, session } = ok(
              await sb.auth.verifyOtp(by === 'hash' ? { token_hash: properties.hashed_token, type } : { email: asked.email, token: properties.email_otp, type }),
            )
            assert.equal(user.email, asked.email)
            assert.ok(user.email_confirmed_at)
            assert.ok(session.refresh_token)
          }
        })
      }

      test('email: the code of a sign-up', async () => {
        const sb = client()
        const email = freshEmail()
        ok(await sb.auth.signUp({ email, password }))
        ok(await sb.auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'email' }))
      })

      test('email_change: both addresses', async () => {
        const { sb, email } = await signedIn()
        const next = freshEmail('next')
        ok(await sb.auth.updateUser({ email: next }))
        const first = await sb.auth.verifyOtp({ token_hash: tokenHash(await inbox.next(next)), type: 'email_change' })
        assert.equal(first.data.session, null)
        const { user } = ok(await sb.auth.verifyOtp({ token_hash: tokenHash(await inbox.next(email)), type: 'email_change' }))
        assert.equal(user.email, next)
      })

      test('a code of another type is refused', async () => {
        const email = await known()
        ok(await client().auth.resetPasswordForEmail(email))
        refused(await client().auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'signup' }), 403, 'otp_expired')
      })
    })

    describe('signInAnonymously', () => {
      test('begins a session, with data', async () => {
        const sb = client()
        const { user, session } = ok(await sb.auth.signInAnonymously({ options: { data: { theme: 'dark' } } }))
        assert.equal(user.is_anonymous, true)
        assert.equal(user.user_metadata.theme, 'dark')
        assert.equal(claimsOf(session.access_token).is_anonymous, true)
        ok(await sb.auth.refreshSession())
        assert.equal(ok(await sb.auth.getUser()).user.id, user.id)
      })

      test('updateUser makes it permanent, with the same id', async () => {
        const sb = client()
        const { user } = ok(await sb.auth.signInAnonymously())
        const email = freshEmail('upgraded')
        const waiting = ok(await sb.auth.updateUser({ email })).user
        assert.equal(waiting.is_anonymous, true)
        const upgraded = ok(await sb.auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'email_change' })).user
        assert.equal(upgraded.id, user.id)
        assert.equal(upgraded.is_anonymous, false)
        assert.equal(upgraded.email, email)
        ok(await sb.auth.updateUser({ password }))
        assert.equal(ok(await client().auth.signInWithPassword({ email, password })).user.id, user.id)
        assert.equal(claimsOf(ok(await sb.auth.refreshSession()).session.access_token).is_anonymous, false)
      })

      test('linkIdentity with an ID token makes it permanent', async () => {
        const sb = client()
        const { user } = ok(await sb.auth.signInAnonymously())
        const who = person()
        const linked = ok(await sb.auth.linkIdentity({ provider: 'custom:openid', token: provider.idToken(who) }))
        assert.equal(linked.user.id, user.id)
        assert.equal(linked.user.is_anonymous, false)
        assert.equal(linked.user.email, who.email)
      })
    })

    describe('signInWithOAuth', () => {
      /** The provider's address and the browser that goes there. */
      async function begun(sb, name, options) {
        const { url } = ok(
          await sb.auth.signInWithOAuth({
            provider: name,
            options: { redirectTo: home, skipBrowserRedirect: true, ...options, queryParams: { ...named(), ...options?.queryParams } },
          }),
        )
        const visitor = new Visitor()
        const res = await visitor.open(url)
        assert.equal(res.status, 303, res.html)
        return { url, visitor, location: new URL(res.location) }
      }

      for (const name of ['custom:openid', 'custom:plain']) {
        test(`${name}: there and back, with tokens in the fragment`, async () => {
          const sb = client()
          const { visitor, location } = await begun(sb, name)
          const who = { ...person(), verified_address: true }
          const res = await visitor.open(provider.signIn(location, who))
          assert.ok(res.location.startsWith(`${home}#`), res.location)
          assert.match(res.fragment.get('provider_token'), /^provider-access-/)
          assert.match(res.fragment.get('provider_refresh_token'), /^provider-refresh-/)
          const { user } = ok(await sb.auth.setSession(sessionOf(res)))
          assert.equal(user.email, who.email)
          assert.equal(user.app_metadata.provider, name)
          assert.ok(!JSON.stringify(user).includes('provider-access-'))
        })
      }

      test('scopes and queryParams reach the provider', async () => {
        const { url, location } = await begun(client(), 'custom:openid', { scopes: 'calendar drive', queryParams: { prompt: 'consent' } })
        assert.equal(new URL(url).searchParams.get('redirect_to'), home)
        const scopes = location.searchParams.get('scope').split(' ')
        for (const scope of ['openid', 'calendar', 'drive']) assert.ok(scopes.includes(scope), location)
        assert.equal(location.searchParams.get('prompt'), 'consent')
        assert.equal(location.searchParams.get('apikey'), null)
        assert.ok(location.searchParams.get('nonce') && location.searchParams.get('code_challenge'))
      })

      test('with PKCE: exchangeCodeForSession, once', async () => {
        const sb = client({ flowType: 'pkce' })
        const { location } = await begun(sb, 'custom:openid')
        // A native app: the browser that comes back has no cookie.
        const res = await new Visitor().open(provider.signIn(location, person()))
        const code = res.query.get('code')
        assert.equal(res.fragment.get('access_token'), null)
        const { session } = ok(await sb.auth.exchangeCodeForSession(code))
        assert.match(session.provider_token, /^provider-access-/)
        ok(await sb.auth.refreshSession())
        const another = client({ flowType: 'pkce' })
        await begun(another, 'custom:openid')
        refused(await another.auth.exchangeCodeForSession(code), 404, 'flow_state_not_found')
      })

      test('a refusal at the provider reaches the app', async () => {
        const { visitor, location } = await begun(client(), 'custom:openid')
        const res = await visitor.open(provider.refuse(location))
        assert.ok(res.location.startsWith(home), res.location)
        assert.equal(res.fragment.get('error') ?? res.query.get('error'), 'access_denied')
      })

      test('an unknown provider is refused', async () => {
        const { url } = ok(await client().auth.signInWithOAuth({ provider: 'custom:nobody', options: { skipBrowserRedirect: true, queryParams: named() } }))
        assert.equal((await fetch(url, { redirect: 'manual' })).status, 400)
      })
    })

    describe('signInWithIdToken', () => {
      const nonce = 'a nonce of the app'
      const hashed = createHash('sha256').update(nonce).digest('hex')

      test('signs in, with a nonce', async () => {
        const sb = client()
        const who = person()
        const { user, session } = ok(await sb.auth.signInWithIdToken({ provider: 'custom:openid', token: provider.idToken(who, { nonce: hashed }), nonce }))
        assert.equal(user.email, who.email)
        assert.ok(session.refresh_token)
        const again = ok(await client().auth.signInWithIdToken({ provider: 'custom:openid', token: provider.idToken(who) }))
        assert.equal(again.user.id, user.id)
      })

      test('refuses what the provider did not sign for this app', async () => {
        const who = person()
        for (const [what, credentials] of Object.entries({
          'another nonce': { token: provider.idToken(who, { nonce: hashed }), nonce: 'another' },
          'another audience': { token: provider.idToken(who, { aud: 'another' }) },
          'another issuer': { token: provider.idToken(who, { iss: 'http://127.0.0.1:9' }) },
          expired: { token: provider.idToken(who, { exp: 1 }) },
          'no token': { token: 'abc' },
        })) {
          const { error } = await client().auth.signInWithIdToken({ provider: 'custom:openid', ...credentials })
          assert.equal(error?.status, 400, what)
        }
      })
    })

    describe('identities', () => {
      /** Links a person's account by the browser. */
      async function link(sb, name, who) {
        const { url } = ok(await sb.auth.linkIdentity({ provider: name, options: { redirectTo: home } }))
        // The app asked by fetch, so a page asks the browser that comes back.
        const res = await new Visitor().open(provider.signIn(url, who))
        assert.ok(res.location.startsWith(home), `${res.status} ${res.location}`)
        return res
      }

      test('linkIdentity, getUserIdentities, unlinkIdentity', async () => {
        const { sb, email } = await signedIn()
        const who = person()
        const res = await link(sb, 'custom:openid', who)
        assert.ok(res.fragment.get('access_token'), res.location)
        const { identities } = ok(await sb.auth.getUserIdentities())
        assert.deepEqual(identities.map((i) => i.provider).sort(), ['custom:openid', 'email'])
        const user = ok(await client().auth.signInWithIdToken({ provider: 'custom:openid', token: provider.idToken(who) })).user
        assert.equal(user.email, email)

        ok(await sb.auth.unlinkIdentity(identities.find((i) => i.provider === 'custom:openid')))
        const left = ok(await sb.auth.getUserIdentities()).identities
        assert.equal(left.length, 1)
        refused(await sb.auth.unlinkIdentity(left[0]), 422, 'single_identity_not_deletable')
      })

      test('an account that somebody has linked is refused to others', async () => {
        const who = person()
        await link((await signedIn()).sb, 'custom:openid', who)
        const res = await link((await signedIn()).sb, 'custom:openid', who)
        assert.equal(res.query.get('error_code'), 'identity_already_exists')
      })

      test('signing out ends a link that is under way', async () => {
        const { sb } = await signedIn()
        const { url } = ok(await sb.auth.linkIdentity({ provider: 'custom:openid', options: { redirectTo: home } }))
        ok({ ...(await sb.auth.signOut({ scope: 'local' })), data: {} })
        const res = await new Visitor().open(provider.signIn(url, person()))
        assert.equal(res.query.get('error_code'), 'session_not_found')
      })
    })

    test('reauthenticate: an older session changes the password with the nonce', async () => {
      const { sb, email } = await signedIn()
      const { session_id } = claimsOf(ok(await sb.auth.getSession()).session.access_token)
      await db.query(`update auth.sessions set created_at = created_at - interval '25 hours' where id = $1`, [session_id])
      refused(await sb.auth.updateUser({ password: 'another horse 2' }), 400, 'reauthentication_needed')
      ok(await sb.auth.reauthenticate())
      const { code } = await inbox.next(email)
      refused(await sb.auth.updateUser({ password: 'another horse 2', nonce: code === '000000' ? '000001' : '000000' }), 422, 'reauthentication_not_valid')
      ok(await sb.auth.updateUser({ password: 'another horse 2', nonce: code }))
      ok(await client().auth.signInWithPassword({ email, password: 'another horse 2' }))
    })
  })
}
