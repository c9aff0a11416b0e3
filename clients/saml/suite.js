// What every identity provider must be able to do with a project, in a browser.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { errorsOf } from '../lib/app.js'
import { administer, domain, ends, gone, people, usable, World } from '../lib/enterprise.js'
import { claimsOf } from '../lib/expect.js'
import { ProjectLog } from '../lib/log.js'
import { configure } from '../lib/reeve.js'

export const formats = {
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  email: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
}

export const metadata = async (project) => (await fetch(`${project.url}/auth/v1/sso/saml/metadata`)).text()

/** Posts a response as a browser would that somebody else drives: where it is sent. */
export async function post(project, form) {
  const res = await fetch(`${project.url}/auth/v1/sso/saml/acs`, { method: 'POST', body: form, redirect: 'manual' })
  await res.arrayBuffer()
  assert.equal(res.status, 303)
  return res.headers.get('location')
}

/** A world with an identity provider that speaks SAML. */
class SAMLWorld extends World {
  /** provider is the class of the identity provider; byAddress lets Reeve fetch its metadata; groups is its name of that statement. */
  async open(provider, { byAddress = false, groups = 'groups' } = {}) {
    await super.open('saml')
    // The site of a is the page of the app, for who comes unasked.
    await configure(this.a, { site_url: this.app.address(this.a, 'implicit') })
    this.log = new ProjectLog(this.a)
    this.idp = await provider.start({ people, services: [await metadata(this.a), await metadata(this.b)] })
    const given = byAddress ? { metadata_url: this.idp.metadataURL } : { metadata_xml: await (await fetch(this.idp.metadataURL)).text() }
    for (const project of [this.a, this.b]) {
      project.connection = await administer(project, 'POST', '/admin/sso/providers', {
        type: 'saml', domains: [domain], ...given, attribute_mapping: { keys: { groups: { name: groups, array: true } } }, rules: { groups_attribute: groups },
      })
    }
  }

  /** Posts a response to a, which must refuse it: {check, reason}, as in the log of the project. */
  async refusal(form) {
    const { error_description } = errorsOf(await post(this.a, form))[0]
    assert.match(error_description ?? 'accepted', /^SAML Assertion is not valid/)
    const [entry, ...more] = await this.log.next()
    assert.deepEqual([entry.code, more.length], ['saml_refused', 0], JSON.stringify([entry, ...more]))
    return entry.detail
  }

  /** Signs in up to the response, which is withheld: its form. */
  async respond(login, project, flow) {
    const page = await this.app.visit(await this.browser.another(), project, flow)
    await this.begin(page, project, flow)
    const { postData } = await page.intercept('*/sso/saml/acs', () => this.idp.login(page, login, people[login].password))
    return new URLSearchParams(postData)
  }
}

/** Defines the tests that are the same for all, and gives their world. */
export function suite(provider, options) {
  const world = new SAMLWorld()
  before(() => world.open(provider, options))
  after(() => world.close())

  for (const flow of ['implicit', 'pkce']) {
    test(`signs in by the domain, and knows the user again, ${flow}`, async () => {
      const login = flow === 'pkce' ? 'ada' : 'ben'
      const { a, browser } = world
      const first = await world.signIn(login, a, flow)
      assert.ok(first.session, JSON.stringify(first))
      const by = `sso:${a.connection.id}`
      assert.equal(first.user.email, people[login].email)
      assert.equal(first.user.app_metadata.provider, by)
      assert.deepEqual(first.user.app_metadata.groups.toSorted(), people[login].groups.toSorted())
      assert.deepEqual(first.user.user_metadata.custom_claims.groups.toSorted(), people[login].groups.toSorted())
      const { amr, email } = claimsOf(first.session.access_token)
      assert.deepEqual(amr.map(({ method, provider }) => ({ method, provider })), [{ method: 'sso/saml', provider: a.connection.id }])
      assert.equal(email, people[login].email)
      const shown = await first.page.url()
      assert.ok(!/code=|token|SAML/.test(shown), `the address still has a secret: ${shown}`)
      assert.equal(await first.page.value('client.auth.getUser().then(({ data }) => data.user.id)'), first.user.id)
      const renewed = await first.page.value('client.auth.refreshSession().then(({ data, error }) => error?.message ?? data.user.id)')
      assert.equal(renewed, first.user.id)

      const again = await world.signIn(login, a, flow, await browser.another())
      assert.equal(again.user?.id, first.user.id, again.opened)
    })
  }

  test('whoever is logged in at the provider need not log in again', async () => {
    const somebody = await world.browser.another()
    const first = await world.signIn('cleo', world.a, 'implicit', somebody)
    await first.page.value('client.auth.signOut({ scope: "local" })')
    assert.equal((await world.signInAgain('cleo', world.a, 'pkce', somebody)).user?.id, first.user.id)
  })

  test('a wrong password stays at the provider', async () => {
    const page = await world.app.visit(await world.browser.another(), world.a, 'pkce')
    await world.begin(page, world.a, 'pkce')
    await world.idp.login(page, 'dora', 'another')
    await world.idp.refused(page)
    assert.equal(new URL(await page.url()).origin, world.idp.url)
    await world.idp.login(page, 'dora', people.dora.password)
    assert.equal((await world.app.begun(page)).user?.email, people.dora.email)
  })

  describe('a response', () => {
    test('for one project is refused by another, whose connection has the same provider and domain', async () => {
      const { a, b } = world
      const form = await world.respond('emil', a, 'implicit')
      const relayed = errorsOf(await post(b, form))[0]
      assert.equal(relayed.error_code, 'saml_relay_state_not_found', JSON.stringify(relayed))
      const log = new ProjectLog(b)
      const bare = await post(b, new URLSearchParams({ SAMLResponse: form.get('SAMLResponse') }))
      assert.equal(errorsOf(bare)[0].error_code, 'validation_failed', bare)
      const [entry] = await log.next()
      assert.equal(entry.code, 'saml_refused')
      assert.match(entry.detail.check, /^(destination|request)$/)
      const { session, user } = await inApp(await post(a, form))
      assert.ok(session)
      assert.equal(user.email, people.emil.email)
      const { users } = await administer(b, 'GET', '/admin/users')
      assert.deepEqual(users.map(({ email }) => email).filter((email) => email === people.emil.email), [])
      const theirs = await world.signIn('emil', b, 'pkce')
      assert.equal(theirs.user?.email, people.emil.email)
      assert.notEqual(theirs.user.id, user.id)
    })

    test('is good once, and not after a change', async () => {
      const { a } = world
      const form = await world.respond('fay', a, 'implicit')
      const xml = Buffer.from(form.get('SAMLResponse'), 'base64').toString()
      assert.ok(xml.includes(people.fay.email))
      // Whoever changes it begins a sign-in of their own, so that its request is not the reason.
      const changed = new URLSearchParams({
        RelayState: form.get('RelayState'), SAMLResponse: Buffer.from(xml.replaceAll(people.fay.email, people.ada.email)).toString('base64'),
      })
      assert.equal((await world.refusal(changed)).check, 'signature')
      const other = await world.respond('fay', a, 'implicit')
      assert.ok(new URL(await post(a, other)).hash.includes('access_token='))
      assert.equal(errorsOf(await post(a, other))[0].error_code, 'saml_relay_state_not_found')
    })
  })

  test('an encrypted assertion is accepted where the setting is on', { skip: !provider.encrypts && 'the provider does not encrypt' }, async () => {
    const { a, idp } = world
    await idp.encrypt(true)
    try {
      const form = await world.respond('gus', a, 'implicit')
      const xml = Buffer.from(form.get('SAMLResponse'), 'base64').toString()
      assert.ok(xml.includes('EncryptedAssertion') && !xml.includes(people.gus.email), 'it is not encrypted')
      assert.equal((await world.refusal(form)).check, 'decryption')
      await configure(a, { saml_allow_encrypted_assertions: true })
      for (const flow of ['implicit', 'pkce']) {
        assert.equal((await world.signIn('gus', a, flow)).user?.email, people.gus.email)
      }
    } finally {
      await idp.encrypt(false)
      await configure(a, { saml_allow_encrypted_assertions: false })
    }
  })

  test('the provider is asked for the format of the name that the connection has', async () => {
    const { a } = world
    const path = `/admin/sso/providers/${a.connection.id}`
    try {
      for (const format of provider.formats) {
        await administer(a, 'PUT', path, { name_id_format: formats[format] })
        const { user, opened } = await world.signIn('gus', a, 'pkce')
        assert.equal(user?.email, people.gus.email, opened)
        if (format === 'email') assert.equal(user.identities[0].id, people.gus.email)
        else assert.ok(!user.identities[0].id.includes('@'), user.identities[0].id)
      }
    } finally {
      await administer(a, 'PUT', path, { name_id_format: '' })
    }
  })

  test('the provider refuses a request that is not signed by the project', async () => {
    const { a, app, idp } = world
    const page = await app.visit(await world.browser.another(), a, 'implicit')
    const call = JSON.stringify({ domain, options: { skipBrowserRedirect: true, redirectTo: app.address(a, 'implicit') } })
    const address = new URL(await page.value(`client.auth.signInWithSSO(${call}).then(({ data }) => data.url)`))
    const another = new URL(address)
    another.searchParams.set('RelayState', 'changed')
    const unsigned = new URL(address)
    unsigned.searchParams.delete('Signature')
    unsigned.searchParams.delete('SigAlg')
    for (const url of [another, unsigned]) {
      const page = await app.visit(await world.browser.another(), a, 'implicit')
      await page.go(url.href)
      await idp.rejected(page, 'hal', people.hal.password)
      assert.equal(new URL(await page.url()).origin, idp.url)
    }
    await page.go(address.href)
    await idp.login(page, 'hal', people.hal.password)
    assert.equal((await app.begun(page)).user?.email, people.hal.email)
  })

  test('signs in from the portal of the provider', { skip: !provider.portal && 'the provider has none' }, async () => {
    const { a, app, idp, browser } = world
    const page = await browser.visit('about:blank', (await browser.send('Target.createBrowserContext')).browserContextId)
    await idp.fromPortal(page, a, 'ada', people.ada.password)
    const { session, user } = await app.begun(page)
    assert.equal(user?.email, people.ada.email)
    assert.equal(claimsOf(session.access_token).amr[0].method, 'sso/saml')
  })

  describe('single logout', () => {
    /** Signs in at both projects in one browser. */
    async function both(login) {
      const somebody = await world.browser.another()
      const first = await world.signIn(login, world.a, 'implicit', somebody)
      assert.ok(first.session, first.opened)
      const second = await world.signInAgain(login, world.b, 'pkce', somebody)
      assert.equal(second.user?.email, people[login].email, second.opened)
      assert.deepEqual([await usable(first.page), await usable(second.page)], ['usable', 'usable'])
      return [first, second]
    }

    test('a sign-out at one project ends at the provider, and at the other project', async () => {
      const { a, b } = world
      const [first, second] = await both('ivy')
      await world.signOut(first.page, a)
      assert.equal(await usable(second.page), gone)
      assert.deepEqual([await ends(a, first.user), await ends(b, second.user)], [['signed_out'], ['slo']])
      await first.page.value('client.auth.signOut({ scope: "local" })')
      await world.begin(first.page, a, 'implicit')
      await first.page.find('input[type=password]') // whom the provider still knew would not be asked
    })

    test('a sign-out at the provider ends the sessions of both projects, and no other', async () => {
      const { a, b, idp } = world
      const elsewhere = await world.signIn('joe', a, 'implicit')
      const [first, second] = await both('joe')
      const page = await first.page.beside()
      await idp.logout(page)
      assert.deepEqual([await usable(first.page), await usable(second.page)], [gone, gone])
      assert.deepEqual([await ends(a, first.user), await ends(b, second.user)], [['slo'], ['slo']])
      assert.equal(await usable(elsewhere.page), 'usable')
    })

    test('a sign-out comes back from a provider that has forgotten the user', async () => {
      const { page, user } = await world.signIn('kim', world.a, 'implicit')
      await page.send('Network.clearBrowserCookies')
      await world.signOut(page, world.a, { alone: true })
      assert.equal(await usable(page), gone)
      assert.equal((await ends(world.a, user))[0], 'signed_out')
    })

    test('a request of the provider ends nothing after a change or at another project', { skip: provider.frames && 'its request is in a frame' }, async () => {
      const { a, b, idp } = world
      const { page, user } = await world.signIn('kim', a, 'implicit')
      const other = await page.beside()
      const address = await other.withhold('*/sso/saml/slo?*', () => other.value(`void location.assign(${JSON.stringify(idp.logoutAddress)})`))
      const open = async (url) => (await fetch(url, { redirect: 'manual' })).status
      const changed = new URL(address)
      changed.searchParams.set('RelayState', 'changed')
      const unsigned = new URL(address)
      unsigned.searchParams.delete('Signature')
      assert.equal(await open(changed), 400)
      assert.equal(await open(unsigned), 400)
      assert.equal(await open(address.replace(a.ref, b.ref)), 400)
      const refused = []
      while (refused.length < 2) refused.push(...(await world.log.next()))
      assert.deepEqual(refused.map(({ code, detail }) => [code, detail.check]), Array(2).fill(['saml_refused', 'signature']))
      assert.equal(await usable(page), 'usable')
      assert.equal(await open(address), 303)
      assert.equal(await usable(page), gone)
      assert.equal((await ends(a, user))[0], 'slo')
    })
  })

  /** What the app makes of the address that a browser is sent to. */
  async function inApp(address) {
    const page = await (await world.browser.another()).visit(address)
    return world.app.begun(page)
  }

  return world
}
