// Sign-in in a browser at a real OpenID provider, which a project has defined by
// the admin API.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { App, errorsOf } from '../lib/app.js'
import { Browser } from '../lib/chromium.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { ProjectLog } from '../lib/log.js'
import { client, OpenIDProvider } from '../lib/openid.js'
import { configure, createProject, deleteProject } from '../lib/reeve.js'

const provider = 'custom:acme'

let app, openid, a, b, log, browser, keysKnown
before(async () => {
  app = await App.open()
  const config = { site_url: app.origin, uri_allow_list: `${app.origin}/**`, security_manual_linking_enabled: true, mailer_autoconfirm: true }
  ;[a, b] = [await createProject('provider a', config), await createProject('provider b', config)]
  log = new ProjectLog(a)
  openid = await OpenIDProvider.open({
    callbacks: [a, b].map((project) => `${project.url}/auth/v1/callback`),
    apps: ['native', 'stranger'].map((id) => ({ id, redirect: `${app.origin}/native` })),
  })
  for (const project of [a, b]) {
    ok(await connectAdmin(project).auth.admin.customProviders.createProvider({
      provider_type: 'oidc', identifier: provider, name: 'Acme', issuer: openid.issuer,
      client_id: client.id, client_secret: client.secret, acceptable_client_ids: ['native'],
      scopes: ['email', 'profile', 'groups'], attribute_mapping: { nickname: 'person.alias' }, custom_claims_allowlist: ['groups'],
    }))
  }
  browser = await Browser.open()
})
after(async () => {
  await browser?.close()
  await openid?.stop()
  app?.close()
  for (const project of [a, b]) await deleteProject(project)
})

/** Somebody who can log in at the provider. */
function person(email = freshEmail('person'), more) {
  const login = `login-${email}`
  openid.people.set(login, { email, email_verified: true, name: 'Ada', person: { alias: 'ada' }, groups: ['staff'], ...more })
  return { login, email }
}

/** Presses the app's button, and waits until the provider, or whoever answers, has the page. */
async function begin(page, project, flow, options = {}) {
  const call = JSON.stringify({ provider, options: { redirectTo: app.address(project, flow), ...options } })
  const { error } = await page.value(`client.auth.signInWithOAuth(${call}).then(({ error }) => ({ error }))`).catch(() => ({})) // the page was left
  assert.ok(!error, error)
  await page.until(`location.origin !== ${JSON.stringify(app.origin)} && document.readyState === "complete"`)
}

/** Signs in at the provider from a window of somebody's, and gives what the app has then. */
async function signIn(somebody, login, project, flow) {
  const page = await app.visit(somebody, project, flow)
  await begin(page, project, flow)
  await openid.login(page, login)
  const outcome = await app.begun(page)
  keysKnown ??= Date.now()
  return { page, ...outcome }
}

/** Asserts how a redirect reports an error, and what the developer reads of it. */
async function reported({ opened, session }, expected, code) {
  assert.equal(session, null)
  const [query, fragment] = errorsOf(opened)
  assert.deepEqual(query, expected)
  assert.deepEqual(fragment, expected)
  const entries = await log.next()
  assert.deepEqual(entries.map((entry) => [entry.code, entry.count]), [[code, 1]])
  assert.ok(!JSON.stringify(entries).includes(client.secret), 'the log has the client secret')
  return entries[0]
}

const failed = (error_code, error_description, error = 'server_error') => ({ error, error_code, error_description })

for (const flow of ['implicit', 'pkce']) {
  describe(`the ${flow} flow`, () => {
    test('signs in, and knows the user again', async () => {
      const ada = person()
      const somebody = await browser.another()
      const first = await signIn(somebody, ada.login, a, flow)
      assert.equal(first.error, null)
      assert.ok(first.events.includes('SIGNED_IN'), first.events.join())
      assert.equal(first.user.email, ada.email)
      assert.ok(first.user.email_confirmed_at)
      assert.deepEqual(first.user.app_metadata, { provider, providers: [provider] })
      const { identity_data, provider: by, id } = first.user.identities[0]
      assert.deepEqual({ by, id }, { by: provider, id: ada.login })
      assert.equal(identity_data.nickname, 'ada', 'by the attribute mapping')
      assert.deepEqual(identity_data.custom_claims, { groups: ['staff'] })
      assert.equal(identity_data.iss, openid.issuer)
      assert.ok(first.session.provider_token)
      const shown = await first.page.url()
      assert.ok(!/code=|token/.test(shown), `the address still has a secret: ${shown}`)
      assert.equal(await first.page.value('client.auth.getUser().then(({ data }) => data.user.id)'), first.user.id)

      await first.page.value('client.auth.signOut()')
      const again = await signIn(await browser.another(), ada.login, a, flow)
      assert.equal(again.user?.id, first.user.id, again.opened)
    })
  })
}

describe('a refusal', () => {
  /** Begins at the provider; arrange runs before the login, and what the app has afterwards is given. */
  async function refusal(arrange, { flow = 'implicit', login = person().login } = {}) {
    const page = await app.visit(await browser.another(), a, flow)
    await begin(page, a, flow)
    await arrange(page)
    if (await page.value('!!document.querySelector("[name=login]")').catch(() => false)) await openid.login(page, login)
    return app.begun(page)
  }

  const noExchange = failed('unexpected_failure', 'Unable to exchange external code')
  const away = failed('provider_unavailable', 'The identity provider cannot be reached at the moment', 'temporarily_unavailable')

  for (const flow of ['implicit', 'pkce']) {
    test(`the user cancels, ${flow}`, async () => {
      const outcome = await refusal((page) => page.click('a[href$="/abort"]'), { flow })
      const entry = await reported(outcome, { error: 'access_denied', error_description: 'End-User aborted interaction' }, 'provider_denied')
      assert.equal(entry.level, 'info')
      assert.equal(outcome.error.message, 'End-User aborted interaction')
    })

    test(`the client secret is wrong, ${flow}`, async () => {
      const { customProviders } = connectAdmin(a).auth.admin
      ok(await customProviders.updateProvider(provider, { client_secret: 'another-canary' }))
      const entry = await reported(await refusal(() => {}, { flow }), noExchange, 'provider_exchange_failed')
      assert.match(entry.detail.error, /invalid_client/)
      assert.ok(!JSON.stringify(entry).includes('another-canary'))
      ok(await customProviders.updateProvider(provider, { client_secret: client.secret }))
    })
  }

  test('the provider is down when the user comes back', async () => {
    const outcome = await refusal(async (page) => {
      openid.instead = (req, res) => (req.url === '/token' ? req.socket.destroy() : openid.handle(req, res))
    })
    openid.instead = undefined
    await reported(outcome, away, 'provider_unavailable')
  })

  for (const [name, status, type, body, expected, code] of [
    ['HTML', 200, 'text/html', '<html><script>alert(1)</script></html>', noExchange, 'provider_exchange_failed'],
    ['an empty object', 200, 'application/json', '{}', noExchange, 'provider_exchange_failed'],
    ['that it is too busy', 503, 'text/html', '<h1>Busy</h1>', away, 'provider_unavailable'],
    ['an ID token that it did not sign', 200, 'application/json', () => forged(), failed('unexpected_failure', 'Error getting user profile from external provider'), 'provider_profile_failed'],
  ]) {
    test(`the provider answers ${name}`, async () => {
      const outcome = await refusal(() => {
        openid.instead = (req, res) => {
          if (req.url !== '/token') return openid.handle(req, res)
          res.writeHead(status, { 'content-type': type })
          res.end(typeof body === 'function' ? body() : body)
        }
      })
      openid.instead = undefined
      await reported(outcome, expected, code)
    })
  }

  const forged = () => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: openid.issuer, aud: client.id, sub: 'root', email: 'root@example.com', email_verified: true, iat: now, exp: now + 60 }
    return JSON.stringify({ access_token: 'x', token_type: 'Bearer', id_token: `${part({ alg: 'ES256', kid: openid.kid })}.${part(claims)}.${'A'.repeat(86)}` })
  }

  test('the provider gives no address', async () => {
    const { login } = person(undefined, { email: undefined, email_verified: undefined })
    await reported(await refusal(() => {}, { login }), failed('unexpected_failure', 'Error getting user email from external provider'), 'provider_without_email')
  })

  test('the provider is down when the user begins', async () => {
    // Another project, for the discovery document of the first one is known.
    const c = await createProject('provider c', { site_url: app.origin, uri_allow_list: `${app.origin}/**` })
    ok(await connectAdmin(c).auth.admin.customProviders.createProvider({
      provider_type: 'oidc', identifier: provider, name: 'Acme', issuer: openid.issuer, client_id: client.id, client_secret: client.secret,
    }))
    const page = await app.visit(browser, c, 'pkce')
    await openid.stop()
    await begin(page, c, 'pkce')
    await openid.start()
    assert.match(await page.text(), /^Not available at the moment\n\nThe identity provider cannot be reached at the moment\.[^]*Error 503, provider_unavailable/)
    const [entry, ...others] = await new ProjectLog(c).next()
    assert.equal(entry.code, 'provider_unavailable')
    assert.deepEqual(others, [])
    await deleteProject(c)
  })
})

describe("somebody else's callback", () => {
  /** The address that ends a sign-in, which is held back from its browser. */
  async function held(project, flow, login = person().login) {
    const page = await app.visit(await browser.another(), project, flow)
    await begin(page, project, flow)
    await page.fill('[name=login]', login)
    await page.fill('[name=password]', 'any')
    await page.click('[type=submit]')
    await page.find('[name=prompt][value=consent]')
    const address = await page.withhold(`${project.url}/auth/v1/callback?*`, () => page.click('[type=submit]'))
    return { address, page }
  }

  /** Waits for the redirect to the site of a callback that no app waits for. */
  async function wrongState(page, of = log) {
    await page.until(`location.href.startsWith(${JSON.stringify(`${app.origin}/?error=`)})`)
    assert.deepEqual(errorsOf(await page.url())[0], failed('bad_oauth_state', 'OAuth state not found or expired', 'invalid_request'))
    assert.deepEqual((await of.next()).map(({ code }) => code), ['bad_oauth_state'])
  }

  test('asks before it signs in', async () => {
    const { address } = await held(a, 'implicit')
    const victim = await browser.another()
    const page = await victim.visit(address)
    await page.until('document.title === "Continue to provider a?"')
    assert.match(await page.text(), /began in another browser or app/)
    const elsewhere = await app.visit(victim, a, 'implicit')
    assert.equal(await elsewhere.value('client.auth.getSession().then(({ data }) => data.session)'), null)
    await page.click('form button')
    const { session } = await app.begun(page)
    assert.ok(session, 'who presses the button is signed in')
  })

  test('a form of another site does not press the button', async () => {
    const { address } = await held(a, 'implicit')
    const victim = await browser.another()
    const page = await app.visit(victim, a, 'implicit')
    const asked = await (await fetch(address)).text() // the attacker knows what the page has
    const [, fields] = asked.match(/<form[^>]*>([^]*?)<p>/)
    await page.value(`(() => {
      const form = document.createElement('form')
      Object.assign(form, { method: 'post', action: ${JSON.stringify(`${a.url}/auth/v1/callback`)}, innerHTML: ${JSON.stringify(fields)} })
      document.body.append(form)
      HTMLFormElement.prototype.submit.call(form)
    })()`)
    await page.until('document.title === "Continue to provider a?"')
  })

  test('with PKCE only the app that began can use it', async () => {
    const { address, page } = await held(a, 'pkce')
    const victim = await browser.another()
    const theirs = await victim.visit(address)
    const { session, opened } = await app.begun(theirs)
    assert.equal(session, null)
    const code = new URL(opened).searchParams.get('code')
    const { error } = await theirs.value(`client.auth.exchangeCodeForSession(${JSON.stringify(code)}).then(({ error }) => ({ error: error.name }))`)
    assert.equal(error, 'AuthPKCECodeVerifierMissingError')
    await page.go(address)
    await wrongState(page)
  })

  test('a state is good once', async () => {
    const { address, page } = await held(a, 'implicit')
    await page.go(address)
    assert.ok((await app.begun(page)).session)
    await page.go(address)
    await wrongState(page)
  })

  test("a state of one project is not the other's, whose users stay apart", async () => {
    const ada = person()
    const [first, second] = [await held(a, 'implicit', ada.login), await held(b, 'implicit', ada.login)]
    await first.page.go(first.address.replace(a.ref, b.ref))
    await wrongState(first.page, new ProjectLog(b))
    await second.page.go(second.address.replace(b.ref, a.ref))
    await wrongState(second.page)
    const users = []
    for (const { page, address } of [first, second]) {
      await page.go(address)
      users.push((await app.begun(page)).user)
    }
    assert.deepEqual(users.map(({ email }) => email), [ada.email, ada.email])
    assert.notEqual(users[0].id, users[1].id)
  })
})

describe('linkIdentity', () => {
  test('links after the page that says to whom', async () => {
    const [owner, other] = [freshEmail('an.address.that.is.too.long.for.one.line.of.a.phone'), person()]
    const page = await app.visit(await browser.another(), a, 'pkce')
    const { user } = await page.value(`client.auth.signUp(${JSON.stringify({ email: owner, password })}).then(({ data }) => data)`)
    const call = JSON.stringify({ provider, options: { redirectTo: app.address(a, 'pkce') } })
    await page.value(`client.auth.linkIdentity(${call}).then(({ error }) => error)`).catch(() => undefined)
    await openid.login(page, other.login)
    await page.until('document.title === "Link your acme account?"')
    assert.match(await page.text(), new RegExp(`linked to the account ${owner} of provider a`))
    await page.screen({ width: 390 })
    assert.ok(await page.value('document.documentElement.scrollWidth <= 390'), 'the page is wider than the screen')
    await page.screen({})
    await page.click('form button')
    const linked = await app.begun(page)
    assert.equal(linked.user.id, user.id)
    assert.equal(linked.user.email, owner)
    assert.deepEqual(linked.user.identities.map((identity) => identity.provider), ['email', provider])
    const [error] = await page.value(`client.auth.getUserIdentities().then(({ data }) => client.auth.unlinkIdentity(data.identities.at(-1))).then(({ error }) => [error])`)
    assert.equal(error, null)
  })
})

describe('signInWithIdToken', () => {
  const nonce = 'the nonce of the app'

  test('takes a token of the project', async () => {
    const ada = person()
    const { id_token, access_token } = await openid.idToken(await browser.another(), ada.login, 'native', nonce)
    const sb = connect(a)
    const { user } = ok(await sb.auth.signInWithIdToken({ provider, token: id_token, access_token, nonce }))
    assert.equal(user.email, ada.email)
    assert.equal(user.identities[0].id, ada.login)
  })

  test('refuses any other', async () => {
    const native = await openid.idToken(await browser.another(), person().login, 'native', nonce)
    const stranger = await openid.idToken(await browser.another(), person().login, 'stranger', nonce)
    const [head, body, signature] = native.id_token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url')), email: 'root@example.com' })).toString('base64url')
    for (const [name, credentials] of [
      ['another nonce', { token: native.id_token, nonce: 'another' }],
      ['no nonce', { token: native.id_token }],
      ['of another client', { token: stranger.id_token, nonce }],
      ['changed', { token: [head, forged, signature].join('.'), nonce }],
      ['without a signature', { token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`, nonce }],
    ]) {
      const { error } = await connect(a).auth.signInWithIdToken({ provider, ...credentials })
      assert.deepEqual([error?.status, error?.code], [400, 'bad_jwt'], name)
    }
    const entries = await log.next(5)
    assert.ok(entries.every(({ code }) => code === 'provider_id_token_invalid'), JSON.stringify(entries))
  })
})

test('a new key of the provider is fetched', async () => {
  const ada = person()
  const { user } = await signIn(await browser.another(), ada.login, a, 'pkce')
  openid.rotate()
  // Keys are fetched again because of a new one at most once in 30 seconds.
  await sleep(Math.max(0, keysKnown + 31000 - Date.now()))
  for (const flow of ['pkce', 'implicit']) {
    assert.equal((await signIn(await browser.another(), ada.login, a, flow)).user?.id, user.id)
  }
})
