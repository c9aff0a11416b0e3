// Sign-in in a browser at a real OpenID provider, which a project has defined by
// the admin API.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { App, errorsOf } from '../lib/app.js'
import { Browser } from '../lib/chromium.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { ProjectLog } from '../lib/log.js'
import { client, OpenIDProvider } from '../lib/openid.js'
import { configure, createProject, deleteProject } from '../lib/reeve.js'

const provider = 'custom:acme'

let app, openid, a, b, log, browser
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
