// A setup link: a developer makes it by the API, a company's administrator without an
// account sets the connection up with a real identity provider, and people sign in.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { SimpleSAMLphp } from '../../clients/saml/simplesamlphp.js'
import { accessibility, launch, open, url } from './browser.js'
import { app, createProject, deleteProject, manage } from './world.js'

const domain = 'acme.example'
const people = { ada: { password: 'ada', email: `ada@${domain}`, name: 'Ada Smith', groups: ['staff'] }, eve: { password: 'eve', email: 'eve@other.example', name: 'Eve', groups: [] } }

describe('a setup link', { skip: !process.env.REEVE_IDPS && 'no SAML identity provider is installed' }, () => {
  let browser, project, idp, link, page, complaints, context, site, landing

  before(async () => {
    site = createServer((_, res) => res.end('welcome')).listen(0, '127.0.0.1') // of the app
    await once(site, 'listening')
    landing = `http://127.0.0.1:${site.address().port}/welcome`
    project = await createProject('Northwind', { saml_enabled: true, site_url: landing, uri_allow_list: landing })
    const metadata = await (await fetch(`${project.url}/auth/v1/sso/saml/metadata`)).text()
    idp = await SimpleSAMLphp.start({ people, services: [metadata] })
    link = await manage('POST', `/v1/projects/${project.ref}/sso/setup-links`, { name: 'Acme', intents: ['sso'], domains: [domain] })
    browser = await launch()
    ;({ page, complaints, context } = await open(browser, { expected: [/sso-setup/] }))
  })
  after(async () => {
    await browser?.close()
    await idp?.stop()
    site?.closeAllConnections()
    site?.close()
    if (project) await deleteProject(project)
  })

  /** Signs in at the provider, as whom it asks for. */
  async function login(name) {
    await page.locator('[name=username]').fill(name)
    await page.locator('[name=password]').fill(people[name].password)
    await page.locator('#regularsubmit button, #submit_button, button[type=submit]').first().click()
  }

  test('opens without an account, and leaves the address bar without its token', async () => {
    await page.goto(link.url)
    await page.getByRole('heading', { level: 1, name: 'Set up single sign-on for Acme' }).waitFor()
    assert.equal(new URL(page.url()).hash, '')
    assert.deepEqual(await accessibility(page), [])
    await page.getByRole('radio', { name: 'Another identity provider' }).check()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('heading', { name: 'Add an app in Another identity provider' }).waitFor()
    await page.getByText(`${project.url}/auth/v1/sso/saml/acs`, { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
  })

  test('takes the metadata, and keeps what was typed when it is refused', async () => {
    await page.getByLabel('Metadata URL').fill(idp.url)
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('alert').waitFor()
    assert.equal(await page.getByLabel('Metadata URL').inputValue(), idp.url)
    await page.getByRole('button', { name: 'File', exact: true }).click()
    const xml = await (await fetch(idp.metadataURL)).text()
    await page.getByLabel('Metadata file').setInputFiles({ name: 'metadata.xml', mimeType: 'text/xml', buffer: Buffer.from(xml) })
    await page.getByLabel('Name', { exact: true }).fill('displayName')
    await page.getByLabel('Groups', { exact: true }).fill('groups')
    await page.getByRole('button', { name: 'Save and continue' }).click()
    await page.getByRole('heading', { name: 'Test the sign-in' }).waitFor()
  })

  test('explains a test that is refused, and shows one that works', async () => {
    await page.getByRole('button', { name: 'Test sign-in', exact: true }).last().click()
    await login('eve')
    await page.getByText('The sign-in was refused.').waitFor()
    await page.getByText('Sign in with an address in one of the domains of this connection').waitFor()
    assert.deepEqual(await accessibility(page), [])
    await context.clearCookies({ domain: '127.0.0.1' })
    await page.getByRole('button', { name: 'Test again' }).click()
    await login('ada')
    await page.getByText('The sign-in works.').waitFor()
    await page.getByText('A new account would be made.').waitFor()
    await page.getByText('Ada Smith').first().waitFor()
    assert.deepEqual(await accessibility(page), [])
    const { users } = await (await fetch(`${project.url}/auth/v1/admin/users`, { headers: { apikey: project.secret_key } })).json()
    assert.equal(users.length, 0, 'the test made nobody')
  })

  test('goes live, and is used up', async () => {
    const before = await app(project).auth.signInWithSSO({ domain, options: { skipBrowserRedirect: true, redirectTo: landing } })
    assert.equal(before.error?.code, 'sso_provider_disabled')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Go live', exact: true }).last().click()
    await page.getByRole('heading', { name: 'Single sign-on is live' }).waitFor()
    assert.deepEqual(complaints.filter((c) => !c.includes(idp.url)), [])
    await page.goto(link.url)
    await page.reload()
    await page.getByRole('heading', { name: 'This link is not valid any more' }).waitFor()
    assert.deepEqual(await accessibility(page), [])
  })

  test('people of the company sign in', async () => {
    await context.clearCookies({ domain: '127.0.0.1' })
    const { data, error } = await app(project).auth.signInWithSSO({ domain, options: { skipBrowserRedirect: true, redirectTo: landing } })
    assert.equal(error, null)
    await page.goto(data.url)
    await login('ada')
    await page.waitForURL(/welcome#access_token/)
    const tokens = new URLSearchParams(new URL(page.url()).hash.slice(1))
    const { data: user } = await app(project).auth.getUser(tokens.get('access_token'))
    assert.equal(user.user?.email, people.ada.email)
    // Whether groups reach app_metadata is for the developer to say, not for who has the link.
    assert.deepEqual(user.user?.user_metadata.custom_claims.groups, ['staff'])
    assert.equal(user.user?.app_metadata.groups, undefined)
  })
})
