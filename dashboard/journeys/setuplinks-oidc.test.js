// Setup links for every intent: a developer makes them on the dashboard, and a company's
// administrator, who has no account, follows them; single sign-on with a real OpenID
// provider. Then the same kind of connection made on the dashboard.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { OpenIDProvider } from '../../clients/lib/openid.js'
import { accessibility, launch, notified, open, signIn } from './browser.js'
import { app, createProject, deleteProject, manage } from './world.js'

const domain = `acme-${randomBytes(4).toString('hex')}.com`
const secret = 'canary secret/of+acme'

describe('setup links', () => {
  let browser, project, idp, site, landing, folder, developer, admin, links
  const under = (path) => `/v1/projects/${project.ref}${path}`
  const connections = async () => (await manage('GET', under('/sso/connections'))).items

  before(async () => {
    site = createServer((_, res) => res.end('welcome')).listen(0, '127.0.0.1') // of the app
    await once(site, 'listening')
    landing = `http://127.0.0.1:${site.address().port}/welcome`
    idp = await OpenIDProvider.open({ callbacks: [landing] })
    idp.people.set('ada', { email: `ada@${domain}`, email_verified: true, name: 'Ada Smith', groups: ['staff'] })
    folder = mkdtempSync(join(tmpdir(), 'setuplinks-'))
    project = await createProject('Northwind with links', { saml_enabled: true, site_url: landing, uri_allow_list: landing })
    browser = await launch()
    developer = await open(browser)
    admin = await open(browser, { expected: [/sso-setup/] })
    await signIn(developer.page)
  })
  after(async () => {
    await browser?.close()
    await idp?.stop()
    site?.closeAllConnections()
    site?.close()
    if (folder) rmSync(folder, { recursive: true })
    if (project) await deleteProject(project)
  })

  /** Asserts that a page can be used by readers, and on a telephone. */
  async function sound({ page, complaints }, name) {
    assert.deepEqual(await accessibility(page), [], name)
    const { width, height } = page.viewportSize()
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}-${name}.png`, fullPage: true })
    await page.setViewportSize({ width: 390, height })
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, `${name} scrolls sideways`)
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}-${name}-390.png`, fullPage: true })
    await page.setViewportSize({ width, height })
    assert.deepEqual(complaints.filter((c) => !c.includes(idp.issuer) && !c.includes('fonts.googleapis.com') && !c.startsWith('console: ')), [], name)
    complaints.length = 0 // the way in of axe is one, and the provider's pages ask for a font
  }

  /** Makes a link on the dashboard by a form that is filled in already, and returns its address. */
  async function make() {
    const dialog = developer.page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Make link' }).click()
    const shown = await dialog.getByRole('group', { name: 'Setup link' }).innerText()
    await dialog.getByRole('button', { name: 'Copy link' }).click()
    assert.equal(await developer.page.evaluate(() => navigator.clipboard.readText()), shown.trim())
    await dialog.getByRole('button', { name: 'Done' }).click()
    return shown.trim()
  }

  /** Opens a link as its administrator, of whom the browser knows nothing yet. */
  async function visit(address) {
    await admin.context.close()
    admin = await open(browser, { expected: [/sso-setup/] })
    await admin.page.goto(address)
    await admin.page.getByRole('heading', { level: 1, name: /Set up/ }).waitFor()
  }

  /** The value of a field to copy. */
  const field = (label) => admin.page.locator('dl > div', { has: admin.page.locator('dt', { hasText: new RegExp(`^${label}$`) }) }).locator('dd > span').first().innerText()

  test('the dashboard makes one for a new company', async () => {
    const { page } = developer
    await page.goto(`${new URL(page.url()).origin}/p/${project.ref}/sso`)
    await page.getByRole('link', { name: 'Setup links' }).click()
    await page.getByText('No setup link yet').waitFor()
    await sound(developer, 'links-empty')
    await page.getByRole('button', { name: 'Make a setup link' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Make link' }).click()
    await dialog.getByText('Name the company').waitFor()
    await dialog.getByLabel('Company').fill('Acme')
    await dialog.getByRole('checkbox', { name: 'Directory' }).click()
    await dialog.getByLabel('Expires after').selectOption({ label: '14 days' })
    await sound(developer, 'links-form')
    links = { sso: await make() }
    await page.getByRole('table', { name: 'Setup links' }).getByText('Sign-in · Domains · Directory').waitFor()
    const [link] = (await manage('GET', under('/sso/setup-links'))).links
    assert.deepEqual([link.name, link.state, link.intents, Math.round((Date.parse(link.expires_at) - Date.parse(link.created_at)) / 86_400_000)], ['Acme', 'open', ['sso', 'domain', 'scim'], 14])
    await sound(developer, 'links')
  })

  test('OpenID Connect is chosen, with the addresses to copy', async () => {
    await visit(links.sso)
    const { page } = admin
    await page.getByRole('radio', { name: 'Keycloak' }).check()
    await page.getByRole('radio', { name: /OpenID Connect/ }).check()
    await sound(admin, 'setup-idp')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('heading', { name: 'Add an app in Keycloak' }).waitFor()
    const redirect = await field('Valid redirect URIs')
    const logout = await field('Backchannel logout URL')
    assert.match(redirect, new RegExp(`^${project.url}/auth/v1/sso/oidc/callback/[0-9a-f-]{36}$`))
    await sound(admin, 'setup-fields')
    idp.register({
      client_id: 'acme', client_secret: secret, redirect_uris: [redirect], post_logout_redirect_uris: [await field('Valid post logout redirect URIs')],
      backchannel_logout_uri: logout, backchannel_logout_session_required: true,
    })
    await page.reload()
    await page.getByRole('heading', { name: 'Add an app in Keycloak' }).waitFor() // the choice is in the address
    await page.getByRole('button', { name: 'Continue' }).click()
  })

  test('what is wrong is said, and what was typed stays', async () => {
    const { page } = admin
    await page.getByLabel('Issuer').fill(`${idp.issuer}/nowhere`)
    await page.getByRole('textbox', { name: 'Client id' }).fill('acme')
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByText('Fill this in').waitFor()
    await page.getByLabel('Client secret').fill('another')
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('alert').filter({ hasText: 'discovery document' }).waitFor()
    assert.equal(await page.getByRole('textbox', { name: 'Client id' }).inputValue(), 'acme')
    await sound(admin, 'setup-client')
    await page.getByLabel('Issuer').fill(idp.issuer)
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('heading', { name: 'Show that your domains are yours' }).waitFor()
  })

  test('the domain is proved by mail', async () => {
    const { page, context } = admin
    await page.getByLabel('Domain', { exact: true }).fill(domain)
    await page.getByRole('button', { name: 'Add domain' }).click()
    await page.getByText('reeve-domain-verification=').waitFor()
    await sound(admin, 'setup-domain')
    await page.getByRole('button', { name: 'Send mail' }).click()
    await page.getByText(`A mail is on its way to admin@${domain}`).waitFor()
    const proof = await mailed(`admin@${domain}`)
    const other = await context.newPage()
    await other.goto(proof)
    await other.getByRole('button').first().click()
    await other.waitForLoadState()
    await other.close()
    await page.reload()
    await page.getByText('yours', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
  })

  /** The link in the mail to an address. */
  async function mailed(address) {
    for (let tries = 0; tries < 60; tries++) {
      const found = JSON.stringify(await manage('GET', under('/inbox'))).match(/https?:[^"\\\s<>]*sso\/domains\/verify[^"\\\s<>]*/)
      if (found) return found[0].replaceAll('&amp;', '&')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    throw new Error(`no mail to ${address}`)
  }

  test('the test explains a wrong secret, and shows who signs in', async () => {
    const { page } = admin
    await page.getByRole('heading', { name: 'Test the sign-in' }).waitFor()
    await page.getByRole('button', { name: 'Test sign-in', exact: true }).last().click()
    await page.locator('[name=login]').fill('ada')
    await page.locator('[name=password]').fill('any')
    await page.locator('[type=submit]').click()
    await page.locator('[name=prompt][value=consent]').waitFor({ state: 'attached' })
    await page.locator('[type=submit]').click()
    await page.getByText('The sign-in was refused.').waitFor()
    await page.getByText('see whether the secret has expired', { exact: false }).waitFor()
    await sound(admin, 'setup-try-refused')
    await page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name: /Client and secret/ }).click()
    await page.getByRole('button', { name: 'Client secret' }).click()
    await page.getByLabel('Client secret').fill(secret)
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Test again' }).click()
    await page.getByText('The sign-in works.').waitFor()
    await page.getByText('Ada Smith').first().waitFor()
    await page.getByText('A new account would be made.').waitFor()
    await sound(admin, 'setup-try')
    const { users } = await (await fetch(`${project.url}/auth/v1/admin/users`, { headers: { apikey: project.secret_key } })).json()
    assert.equal(users.length, 0, 'the test made nobody')
  })

  test('it goes live, the directory gets its token, and the link is used up', async () => {
    const { page } = admin
    await page.getByRole('button', { name: 'Continue' }).click()
    await sound(admin, 'setup-live')
    await page.getByRole('button', { name: 'Go live', exact: true }).last().click()
    await page.getByRole('heading', { name: 'Single sign-on is live' }).waitFor()
    await sound(admin, 'setup-done')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Make the token' }).click()
    await page.getByText('Copy the token now').waitFor()
    await sound(admin, 'setup-scim')
    await page.getByRole('button', { name: 'Reveal' }).click()
    const token = await page.getByRole('group', { name: 'SCIM token' }).locator('span').first().innerText()
    const pushed = await fetch(`${project.url}/auth/v1/scim/v2/Users?count=1`, { headers: { Authorization: `Bearer ${token}` } })
    assert.equal(pushed.status, 200)
    const bob = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: `bob@${domain}`, active: true, emails: [{ value: `bob@${domain}`, primary: true }] }
    for (const [user, status] of [[bob, 201], [{}, 400]]) {
      const push = await fetch(`${project.url}/auth/v1/scim/v2/Users`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }, body: JSON.stringify(user) })
      assert.equal(push.status, status)
    }
    await page.goto(links.sso)
    await page.reload()
    await page.getByRole('heading', { name: 'This link is not valid any more' }).waitFor()
    await sound(admin, 'setup-used')
    const { data } = await app(project).auth.signInWithSSO({ domain, options: { skipBrowserRedirect: true, redirectTo: landing } })
    await page.goto(data.url)
    await page.waitForURL(/welcome#access_token/)
  })

  test('the developer sees the connection, tests it, and replaces its secret', async () => {
    const { page } = developer
    await page.reload()
    await page.getByRole('table', { name: 'Setup links' }).getByText('Used', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Connections' }).click()
    await page.getByRole('table', { name: 'Connections' }).getByText('Acme', { exact: true }).click()
    const [{ oidc }] = await connections()
    await page.getByText(oidc.redirect_uri, { exact: true }).waitFor()
    await page.getByText(oidc.backchannel_logout_uri, { exact: true }).waitFor()
    await sound(developer, 'connection')
    await page.getByRole('button', { name: 'Run a dry run' }).click()
    await page.locator('[name=login]').fill('ada')
    await page.locator('[name=password]').fill('any')
    await page.locator('[type=submit]').click()
    await page.locator('[name=prompt][value=consent]').waitFor({ state: 'attached' })
    await page.locator('[type=submit]').click()
    const sheet = page.getByRole('dialog')
    await sheet.getByText('Dry run: Accepted').waitFor()
    await sheet.getByText('Exchange of the code').waitFor()
    await sound(developer, 'connection-dry-run')
    await page.keyboard.press('Escape')
    await page.getByRole('tab', { name: 'Overview' }).click()
    await page.getByRole('button', { name: 'Client secret' }).click()
    await page.getByLabel('Client secret').fill('a wrong one')
    await page.getByRole('region', { name: '1 change, not saved' }).getByRole('button', { name: 'Save' }).click()
    await notified(page, 'The registration is saved.')
    const refused = await manage('POST', under(`/sso/connections/${(await connections())[0].id}/test`), {})
    assert.ok(refused.url.startsWith(`${idp.issuer}/auth?`))
    await page.getByRole('tab', { name: 'Rules' }).click()
    await page.getByText('The value scim keeps the groups', { exact: false }).waitFor()
    await sound(developer, 'connection-rules')
  })

  test('the requests of the directory can be those that were refused', async () => {
    const { page } = developer
    await page.getByRole('tab', { name: 'Directory' }).click()
    const pushes = page.getByRole('table', { name: 'What the directory pushed' })
    await pushes.getByText('400').waitFor()
    await pushes.getByText('201').waitFor()
    await page.getByRole('button', { name: 'Refused only' }).click()
    await pushes.getByText('201').waitFor({ state: 'detached' })
    await pushes.getByText('400').waitFor()
    await sound(developer, 'directory-refused')
  })

  test('a link for domains and the directory of a connection that is live', async () => {
    const { page } = developer
    await page.getByRole('tab', { name: 'Overview' }).click()
    await page.getByRole('link', { name: 'Send a setup link' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('The connection is in use: switch it off to set it up anew.').waitFor()
    await dialog.getByText('For a SAML connection that is switched on.').waitFor()
    await dialog.getByRole('checkbox', { name: 'Directory' }).click()
    await sound(developer, 'links-live')
    await visit(await make())
    await admin.page.getByText(domain, { exact: true }).waitFor()
    await sound(admin, 'setup-domain-lone')
    await admin.page.getByRole('button', { name: 'Finish domains' }).click()
    await admin.page.getByRole('button', { name: 'Make the token' }).click()
    await admin.page.getByText('Copy the token now').waitFor()
    await sound(admin, 'setup-scim-lone')
  })

  test('a link for a certificate, of a connection that speaks SAML', async () => {
    const certificate = (name) => {
      const at = join(folder, name)
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}.globex.example`, '-days', '400', '-keyout', `${at}.key`, '-out', `${at}.pem`], { stdio: 'ignore' })
      return readFileSync(`${at}.pem`, 'utf8').replace(/-----.*-----|\s/g, '')
    }
    const metadata = (name) =>
      `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.globex.example"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate(name)}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.issuer}/saml"/></IDPSSODescriptor></EntityDescriptor>`
    const globex = await manage('POST', under('/sso/connections'), { name: 'Globex', metadata_xml: metadata('old') })
    await developer.page.goto(`${new URL(developer.page.url()).origin}/p/${project.ref}/sso/links?make=${globex.id}`)
    const dialog = developer.page.getByRole('dialog')
    assert.equal(await dialog.getByRole('checkbox', { name: 'New certificate' }).isChecked(), true)
    await visit(await make())
    const { page } = admin
    await page.getByText('CN=old.globex.example').waitFor()
    await sound(admin, 'setup-certificate')
    await page.getByRole('button', { name: 'Finish' }).click()
    await page.getByRole('alert').waitFor() // nothing is saved yet
    await page.getByRole('button', { name: 'Text', exact: true }).click()
    await page.getByLabel('Metadata XML').fill(metadata('new'))
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('heading', { name: 'Test the sign-in' }).waitFor()
    await page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name: /New certificate/ }).click()
    await page.getByText('CN=new.globex.example').waitFor()
    await page.getByRole('button', { name: 'Finish' }).click()
    await page.getByText('The certificate is renewed').waitFor()
    const { saml } = await manage('GET', under(`/sso/connections/${globex.id}`))
    assert.deepEqual(saml.certificates.map((c) => c.subject), ['CN=new.globex.example'])
  })

  test('a link is revoked, and its page says no more', async () => {
    const { page } = developer
    const made = await manage('POST', under('/sso/setup-links'), { name: 'Initech', intents: ['sso'] })
    await visit(made.url)
    await page.goto(`${new URL(page.url()).origin}/p/${project.ref}/sso/links`)
    const row = page.getByRole('table', { name: 'Setup links' }).getByRole('row').filter({ hasText: 'Initech' })
    await row.getByText('Open', { exact: true }).waitFor()
    await row.getByRole('button').last().click()
    await page.getByRole('menuitem', { name: 'Revoke' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await notified(page, 'The link for Initech is revoked.')
    await row.getByText('Revoked', { exact: true }).waitFor()
    await sound(developer, 'links-states')
    await admin.page.reload()
    await admin.page.getByRole('heading', { name: 'This link is not valid any more' }).waitFor()
  })

  test('an OpenID connection is made on the dashboard, at the address that was shown', async () => {
    const { page } = developer
    await page.getByRole('link', { name: 'Connections' }).click()
    await page.getByRole('link', { name: 'Add a connection' }).click()
    await page.getByRole('radio', { name: /OpenID Connect/ }).check()
    const redirect = await page.getByText(/oidc\/callback\//).first().innerText()
    await page.getByRole('button', { name: 'Create connection' }).click()
    await page.getByText('This is missing').first().waitFor()
    await page.getByLabel('Issuer').fill(idp.issuer)
    await page.getByRole('textbox', { name: 'Client id' }).fill('umbrella')
    await page.getByLabel('Client secret').fill(secret)
    await page.getByLabel('Further scopes').fill('groups,')
    await page.getByRole('textbox', { name: 'Name' }).fill('Umbrella')
    await sound(developer, 'new-oidc')
    await page.getByRole('button', { name: 'Create connection' }).click()
    await page.getByRole('heading', { level: 1, name: 'Umbrella' }).waitFor()
    const umbrella = (await connections()).find((c) => c.name === 'Umbrella')
    assert.deepEqual([umbrella.type, umbrella.oidc.redirect_uri, umbrella.oidc.client_id, umbrella.oidc.scopes], ['oidc', redirect, 'umbrella', ['groups']])
    await sound(developer, 'connection-new')
  })
})
