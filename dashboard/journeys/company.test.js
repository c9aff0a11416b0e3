// The whole way of a company: its administrator, who has no account, sets the connection
// up by a link and proves the domain, its people sign in with the stock SDK, its directory
// withdraws one of them and lets them in again, and logouts reach both sides.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from '../../clients/node_modules/pg/lib/index.js'
import { App } from '../../clients/lib/app.js'
import { Dns } from '../../clients/lib/dns.js'
import { claimsOf } from '../../clients/lib/expect.js'
import { SimpleSAMLphp } from '../../clients/saml/simplesamlphp.js'
import { accessibility, launch, open } from './browser.js'
import { createProject, deleteProject, manage } from './world.js'

const domain = 'acme.example'
const record = `_reeve-challenge.${domain}`
const people = { ada: { password: 'ada', email: `ada@${domain}`, name: 'Ada Smith', groups: ['staff'] } }

describe('a company', { skip: !process.env.REEVE_IDPS && 'no SAML identity provider is installed' }, () => {
  let browser, project, idp, dns, app, db, link, admin, complaints
  let ada, user, directory // the user's page, who that is, and what the company's directory knows

  before(async () => {
    app = await App.open()
    dns = await Dns.open()
    project = await createProject('Harbour', { saml_enabled: true, site_url: app.origin, uri_allow_list: `${app.origin}/**` })
    db = new pg.Client({ connectionString: project.db_url })
    await db.connect()
    idp = await SimpleSAMLphp.start({ people, services: [await (await fetch(`${project.url}/auth/v1/sso/saml/metadata`)).text()] })
    link = await manage('POST', `/v1/projects/${project.ref}/sso/setup-links`, { name: 'Acme', intents: ['sso', 'domain', 'scim'] })
    browser = await launch()
    ;({ page: admin, complaints } = await open(browser, { expected: [/sso-setup\/.*check$/] }))
    ada = await (await browser.newContext()).newPage()
    ada.setDefaultTimeout(30_000)
  })
  after(async () => {
    await browser?.close()
    await idp?.stop()
    await db?.end()
    dns?.close()
    app?.close()
    if (project) await deleteProject(project)
  })

  const press = (name) => admin.getByRole('button', { name, exact: true }).last().click()

  /** Waits until a page is back at the app, and gives what the SDK has then. */
  async function inApp(page) {
    await page.waitForFunction(`location.origin === ${JSON.stringify(app.origin)} && typeof began === "object"`)
    return page.evaluate(`client.auth.getSession().then(({ data }) => ({ error: began.error?.code ?? began.error?.message, session: data.session, opened }))`)
  }

  /** Opens the app and has its SDK begin a sign-in by the domain: the browser leaves for the provider. */
  async function begin(page) {
    await page.goto(app.address(project, 'implicit'))
    await inApp(page)
    const call = JSON.stringify({ domain, options: { redirectTo: app.address(project, 'implicit') } })
    const left = page.waitForURL((url) => url.origin !== app.origin || url.hash !== '')
    const failed = await page.evaluate(`client.auth.signInWithSSO(${call}).then(({ error }) => error?.code)`).catch(() => undefined) // the page was left
    assert.equal(failed, undefined)
    await left
  }

  /** Whether a session is in force: for the API, for its refresh token, and for policies. */
  async function alive(session) {
    const headers = { apikey: project.publishable_key, 'content-type': 'application/json' }
    const api = await fetch(`${project.url}/auth/v1/user`, { headers: { ...headers, authorization: `Bearer ${session.access_token}` } })
    const { rows } = await db.query(`select auth.session_active() as active from (select set_config('request.jwt.claims', $1, false)) as claims`, [JSON.stringify(claimsOf(session.access_token))])
    return { api: api.ok, policies: rows[0].active }
  }
  const inForce = { api: true, policies: true }
  const ended = { api: false, policies: false }

  /** Calls the project as the company's directory. */
  async function push(method, path, body, status) {
    const response = await fetch(directory.base + path, {
      method, headers: { authorization: `Bearer ${directory.token}`, 'content-type': 'application/scim+json' }, body: body && JSON.stringify(body),
    })
    const text = await response.text()
    assert.equal(response.status, status, text)
    return text ? JSON.parse(text) : undefined
  }
  const activate = (active) =>
    push('PATCH', `/Users/${directory.ada}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'replace', path: 'active', value: active }],
    }, 200)

  const causes = async () => {
    const response = await fetch(`${project.url}/auth/v1/admin/users/${user}/sessions`, { headers: { apikey: project.secret_key } })
    return (await response.json()).ended.map(({ cause }) => cause)
  }

  test('gives the metadata of its provider', async () => {
    await admin.goto(link.url)
    await admin.getByRole('radio', { name: 'Another identity provider' }).check()
    await press('Continue')
    await press('Continue')
    await admin.getByRole('button', { name: 'File', exact: true }).click()
    const xml = await (await fetch(idp.metadataURL)).text()
    await admin.getByLabel('Metadata file').setInputFiles({ name: 'metadata.xml', mimeType: 'text/xml', buffer: Buffer.from(xml) })
    await admin.getByLabel('Name', { exact: true }).fill('displayName')
    await press('Save and continue')
    await admin.getByRole('heading', { name: 'Show that your domains are yours' }).waitFor()
  })

  test('proves its domain by a record', async () => {
    await admin.getByLabel('Domain', { exact: true }).fill(domain)
    await press('Add domain')
    const name = await admin.getByText(record, { exact: true }).textContent()
    const value = await admin.getByText(/^reeve-domain-verification=/).textContent()
    await press('Check now')
    await admin.getByRole('alert').waitFor()
    dns.set(name, 'v=spf1 -all', `${value}x`)
    await press('Check now')
    await admin.getByRole('alert').waitFor()
    dns.set(name, 'v=spf1 -all', value)
    await press('Check now')
    await admin.getByText('yours', { exact: true }).waitFor()
    assert.deepEqual(await accessibility(admin), [])
    await press('Continue')
  })

  test('tests the sign-in, which makes nobody, and goes live', async () => {
    await press('Test sign-in')
    await idp.login(admin, 'ada', people.ada.password)
    await admin.getByText('The sign-in works.').waitFor()
    const { users } = await (await fetch(`${project.url}/auth/v1/admin/users`, { headers: { apikey: project.secret_key } })).json()
    assert.deepEqual(users, [])
    await press('Continue')
    await press('Go live')
    await admin.getByRole('heading', { name: 'Single sign-on is live' }).waitFor()
    await press('Continue')
  })

  test('takes a token for its directory, and has used the link up', async () => {
    const base = (await admin.getByText(/\/scim\/v2$/).textContent()).trim()
    await press('Make the token')
    const secret = admin.getByRole('group', { name: 'SCIM token' })
    await secret.getByRole('button', { name: 'Reveal' }).click()
    const token = (await secret.getByText(/^scim_/).textContent()).trim()
    directory = { base, token }
    assert.deepEqual((await push('GET', '/Users', undefined, 200)).Resources ?? [], [])
    await admin.goto(link.url)
    await admin.reload()
    await admin.getByRole('heading', { name: 'This link is not valid any more' }).waitFor()
    assert.deepEqual(complaints.filter((c) => !c.includes(idp.url) && !/sso-setup/.test(c)), [])
  })

  test('has people who sign in by the domain', async () => {
    await begin(ada)
    await idp.login(ada, 'ada', people.ada.password)
    const { session, error } = await inApp(ada)
    assert.equal(error, undefined)
    user = session.user.id
    assert.equal(session.user.email, people.ada.email)
    assert.deepEqual(claimsOf(session.access_token).amr.map(({ method }) => method), ['sso/saml'])
    assert.deepEqual(await alive(session), inForce)
  })

  test('withdraws somebody by its directory, at once', async () => {
    const { session } = await inApp(ada)
    const made = await push('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: people.ada.email, emails: [{ value: people.ada.email, primary: true }], active: true,
    }, 201)
    directory.ada = made.id
    assert.deepEqual(await alive(session), inForce)
    await activate(false)
    assert.deepEqual(await alive(session), ended)
    assert.equal(await ada.evaluate('client.auth.refreshSession().then(({ error }) => error?.code)'), 'refresh_token_not_found')
    assert.equal(await ada.evaluate('client.auth.getUser().then(({ error }) => error?.name)'), 'AuthSessionMissingError') // the SDK forgets it too
    assert.deepEqual(await causes(), ['scim'])
    await begin(ada) // the provider still knows them
    const again = await inApp(ada)
    assert.equal(again.session, null)
    assert.match(again.opened, /error_code=sso_user_deprovisioned/)
  })

  test('lets them in again, as the same user', async () => {
    await activate(true)
    await begin(ada)
    const { session } = await inApp(ada)
    assert.equal(session?.user.id, user)
    assert.deepEqual(await alive(session), inForce)
  })

  test('is told when somebody signs out of the app', async () => {
    const { session } = await inApp(ada)
    const back = `${app.address(project, 'implicit')}?out`
    const query = new URLSearchParams({ scope: 'local', single_logout: true, redirect_to: back })
    const response = await fetch(`${project.url}/auth/v1/logout?${query}`, { method: 'POST', headers: { apikey: project.publishable_key, authorization: `Bearer ${session.access_token}` } })
    assert.equal(response.status, 200)
    assert.deepEqual(await alive(session), ended)
    await ada.goto((await response.json()).url)
    await ada.waitForURL(back)
    await begin(ada)
    await ada.locator('input[type=password]').waitFor() // whom the provider still knew would not be asked
  })

  test('ends sessions by a logout at its provider', async () => {
    await idp.login(ada, 'ada', people.ada.password)
    const { session } = await inApp(ada)
    assert.equal(session?.user.id, user)
    assert.deepEqual(await alive(session), inForce)
    const other = await ada.context().newPage()
    await other.goto(idp.logoutAddress)
    await other.waitForURL(/\/logout\.php/)
    assert.deepEqual(await alive(session), ended)
    assert.deepEqual(await causes(), ['slo', 'signed_out', 'scim'])
  })
})
