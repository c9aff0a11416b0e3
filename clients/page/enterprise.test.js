// Enterprise connections of two projects to a real OpenID provider, in a browser.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { errorsOf } from '../lib/app.js'
import { administer, domain, ends, gone, people, usable, World } from '../lib/enterprise.js'
import { claimsOf } from '../lib/expect.js'
import { OpenIDProvider } from '../lib/openid.js'

class OpenIDWorld extends World {
  async open() {
    await super.open('openid')
    this.idp = await OpenIDProvider.open({ callbacks: [`${this.app.origin}/unused`] })
    for (const [login, { email, name, groups }] of Object.entries(people)) {
      this.idp.people.set(login, { email, email_verified: true, name, groups })
    }
    for (const project of [this.a, this.b]) {
      const [client_id, client_secret] = [`client of ${project.ref}`, `canary secret/of+${project.ref}`]
      project.secret = client_secret
      project.connection = await administer(project, 'POST', '/admin/sso/providers', {
        type: 'oidc', domains: [domain], oidc: { issuer: this.idp.issuer, client_id, client_secret, scopes: ['groups'] }, rules: { groups_attribute: 'groups' },
      })
      const sso = `${project.url}/auth/v1/sso/oidc`
      project.logout = `${sso}/backchannel-logout/${project.connection.id}`
      this.idp.register({
        client_id, client_secret, redirect_uris: [project.connection.oidc.redirect_uri], post_logout_redirect_uris: [`${sso}/logged-out`],
        backchannel_logout_uri: project.logout, backchannel_logout_session_required: true,
      })
    }
  }

  /** Signs in from a window of somebody whom the provider knows, but not as a user of this project. */
  async consent(project, flow, somebody) {
    const page = await this.app.visit(somebody, project, flow)
    await this.begin(page, project, flow)
    await this.idp.consent(page)
    return { page, ...(await this.app.begun(page)) }
  }

  /** Signs somebody in at both projects in one browser. */
  async both(login) {
    const somebody = await this.browser.another()
    const first = await this.signIn(login, this.a, 'implicit', somebody)
    const second = await this.consent(this.b, 'pkce', somebody)
    assert.deepEqual([first.user?.email, second.user?.email], Array(2).fill(people[login].email), `${first.opened} ${second.opened}`)
    assert.deepEqual([await usable(first.page), await usable(second.page)], ['usable', 'usable'])
    return [first, second]
  }
}

const world = new OpenIDWorld()
before(() => world.open())
after(() => world.close())

const attempts = async ({ connection, ...project }) => (await administer(project, 'GET', `/admin/sso/providers/${connection.id}/attempts`)).items

/** Asks the project for the user of a token: what it answers. */
async function user(project, { access_token }) {
  const res = await fetch(`${project.url}/auth/v1/user`, { headers: { apikey: project.publishable_key, authorization: `Bearer ${access_token}` } })
  return [res.status, (await res.json()).error_code]
}

for (const flow of ['implicit', 'pkce']) {
  test(`signs in by the domain, and knows the user again, ${flow}`, async () => {
    const login = flow === 'pkce' ? 'ada' : 'ben'
    const { a, browser, idp } = world
    const somebody = await browser.another()
    const first = await world.signIn(login, a, flow, somebody)
    assert.ok(first.session, first.opened)
    assert.equal(first.user.email, people[login].email)
    assert.equal(first.user.app_metadata.provider, `sso:${a.connection.id}`)
    assert.deepEqual(first.user.app_metadata.groups, people[login].groups)
    assert.equal(first.user.identities[0].id, login)
    const { amr, app_metadata } = claimsOf(first.session.access_token)
    assert.deepEqual(amr.map(({ method, provider }) => ({ method, provider })), [{ method: 'sso/oidc', provider: a.connection.id }])
    assert.deepEqual(app_metadata.groups, people[login].groups)
    const shown = await first.page.url()
    assert.ok(!/code=|token/.test(shown), `the address still has a secret: ${shown}`)
    const renewed = await first.page.value('client.auth.refreshSession().then(({ data, error }) => error?.message ?? data.user.id)')
    assert.equal(renewed, first.user.id)
    assert.equal((await attempts(a))[0].outcome, 'accepted')

    await first.page.value('client.auth.signOut({ scope: "local" })')
    idp.people.get(login).groups = ['alumni']
    const again = await world.signInAgain(login, a, flow, somebody)
    assert.equal(again.user?.id, first.user.id, again.opened)
    assert.deepEqual(again.user.app_metadata.groups, ['alumni'], 'groups are those of the last sign-in')
  })
}

describe('single logout', () => {
  test('a sign-out at the provider ends the sessions of both projects, and no other', async () => {
    const { a, b, idp } = world
    const elsewhere = await world.signIn('cleo', a, 'implicit')
    const [first, second] = await world.both('cleo')
    await idp.logout(await first.page.beside())
    assert.deepEqual([await user(a, first.session), await user(b, second.session)], Array(2).fill([403, 'session_not_found']))
    assert.deepEqual([await usable(first.page), await usable(second.page)], [gone, gone])
    assert.deepEqual([await ends(a, first.user), await ends(b, second.user)], [['slo'], ['slo']])
    assert.equal(await usable(elsewhere.page), 'usable')
    const [{ kind, outcome, detail }] = await attempts(a)
    assert.deepEqual([kind, outcome, detail.steps.at(-1)], ['logout', 'accepted', { check: 'sessions', ok: true, reason: '1 sessions ended.' }])
  })

  test('a sign-out at one project ends at the provider, and at the other project', async () => {
    const { a, b } = world
    const [first, second] = await world.both('dora')
    const url = await world.signOut(first.page, a)
    assert.ok(url.startsWith(`${world.idp.issuer}/session/end?`), url)
    assert.equal(claimsOf(new URL(url).searchParams.get('id_token_hint')).iss, world.idp.issuer)
    assert.equal(await usable(second.page), gone)
    assert.deepEqual([await ends(a, first.user), await ends(b, second.user)], [['signed_out'], ['slo']])
    await first.page.value('client.auth.signOut({ scope: "local" })')
    await world.begin(first.page, a, 'implicit')
    await first.page.find('[name=password]') // whom the provider still knew would not be asked
  })

  test('whoever stays logged in at the provider stays in the other project', async () => {
    const { a, b, idp } = world
    const [first, second] = await world.both('emil')
    await world.signingOut(first.page, a)
    await idp.through(first.page, { everywhere: false })
    await world.back(first.page, a)
    assert.deepEqual(await user(a, first.session), [403, 'session_not_found'])
    assert.equal(await usable(second.page), 'usable')
    assert.deepEqual(await ends(b, second.user), [])
  })

  test('a sign-out comes back from a provider that has forgotten the user', async () => {
    const { page, user } = await world.signIn('fay', world.a, 'implicit')
    await page.send('Network.clearBrowserCookies')
    await world.signOut(page, world.a, { alone: true })
    assert.equal(await usable(page), gone)
    assert.deepEqual(await ends(world.a, user), ['signed_out'])
  })

  test('a logout token is good once, unchanged, and for its project', async () => {
    const { a, b, idp } = world
    const [first, second] = await world.both('gus')
    await idp.logout(await first.page.beside())
    const token = idp.told.get(`client of ${a.ref}`)
    const { session } = await world.signIn('gus', b, 'implicit')
    const [head, body, signature] = token.split('.')
    const claims = JSON.parse(Buffer.from(body, 'base64url'))
    const changed = [head, Buffer.from(JSON.stringify({ ...claims, jti: 'another' })).toString('base64url'), signature].join('.')
    for (const [name, url, logout_token] of [['used', a.logout, token], ['changed', a.logout, changed], ["of the other project", b.logout, token]]) {
      const res = await fetch(url, { method: 'POST', body: new URLSearchParams({ logout_token }) })
      assert.deepEqual([res.status, (await res.json()).error_code], [400, 'sso_oidc_token_invalid'], name)
      assert.equal(res.headers.get('cache-control'), 'no-store', name)
    }
    assert.deepEqual(await user(b, session), [200, undefined])
    assert.deepEqual(await ends(b, second.user), ['slo'], 'what the token of b ended')
  })
})

test("two projects at one provider have users of their own, and an answer to one is not the other's", async () => {
  const { a, b } = world
  const [first, second] = await world.both('hal')
  assert.notEqual(first.user.id, second.user.id)
  const page = await world.app.visit(await world.browser.another(), a, 'implicit')
  await world.begin(page, a, 'implicit')
  const address = await page.withhold(`${a.url}/auth/v1/sso/oidc/callback/*`, () => world.idp.login(page, 'ivy'))
  const relayed = await fetch(address.replace(a.ref, b.ref), { redirect: 'manual' })
  assert.equal(errorsOf(relayed.headers.get('location'))[0].error_code, 'saml_relay_state_not_found')
  await page.go(address)
  assert.equal((await world.app.begun(page)).user?.email, people.ivy.email)
  const { users } = await administer(b, 'GET', '/admin/users')
  assert.ok(!users.some(({ email }) => email === people.ivy.email), 'the user is in the other project')
})

describe('a refusal', () => {
  test('a wrong client secret is told to the developer', async (t) => {
    const { a } = world
    const path = `/admin/sso/providers/${a.connection.id}`
    t.after(() => administer(a, 'PUT', path, { oidc: { client_secret: a.secret } }))
    await administer(a, 'PUT', path, { oidc: { client_secret: 'another-canary' } })
    const { session, opened } = await world.signIn('joe', a, 'pkce')
    assert.equal(session, null)
    assert.equal(errorsOf(opened)[0].error_code, 'sso_oidc_provider_error', opened)
    const [attempt] = await attempts(a)
    assert.deepEqual([attempt.kind, attempt.outcome], ['login', 'refused'])
    assert.match(attempt.reason, /invalid_client/)
    assert.equal(attempt.detail.steps.at(-1).check, 'code')
    assert.ok(!/canary/.test(JSON.stringify(attempt) + opened), 'a secret is told')
  })

  test('the user cancels', async () => {
    const { a, app, browser } = world
    const page = await app.visit(await browser.another(), a, 'implicit')
    await world.begin(page, a, 'implicit')
    await page.click('a[href$="/abort"]')
    const { session, opened } = await app.begun(page)
    assert.equal(session, null)
    assert.equal(errorsOf(opened)[0].error_code, 'sso_oidc_provider_error', opened)
    assert.match((await attempts(a))[0].reason, /access_denied: End-User aborted interaction/)
  })
})
