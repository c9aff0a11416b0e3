// A provider of a project's own: defined step by step, tested against an issuer that
// answers, turned on, and deleted; by keyboard where people may have nothing else.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { createProject, deleteProject, manage } from './world.js'

describe("a provider of a project's own", () => {
  let browser, project, page, complaints, issuer, server
  const list = async () => (await manage('GET', `/v1/projects/${project.ref}/auth/custom-providers`)).providers

  before(async () => {
    // It knows one client, and refuses codes that it did not issue.
    server = createServer((req, res) => {
      const json = (status, body) => res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
      const path = new URL(req.url, 'http://x').pathname
      if (path === '/.well-known/openid-configuration') return json(200, { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'] })
      if (path === '/auth') return res.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Log in</h1>')
      if (path === '/token') return json(400, { error: 'invalid_grant' })
      return json(200, { keys: [] })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    issuer = `http://127.0.0.1:${server.address().port}`
    project = await createProject('Own provider')
    browser = await launch()
    ;({ page, complaints } = await open(browser, { expected: [/custom-providers/] }))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    server?.close()
    if (project) await deleteProject(project)
  })

  test('is created switched off; what is missing is said, and nothing typed is lost', async () => {
    await page.goto(`${url}/p/${project.ref}/auth/providers`)
    await page.getByRole('link', { name: 'Add a provider' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('Acme Corp')
    assert.equal(await page.getByLabel('Identifier').inputValue(), 'acme-corp')
    await page.getByRole('button', { name: 'Create provider' }).click()
    await page.getByText('Some fields above are missing or wrong.').waitFor()
    assert.equal(await page.getByText('Fill this in').count(), 2)
    // A visit to another page keeps it.
    await page.getByRole('link', { name: 'Passwords', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Passwords' }).waitFor()
    await page.goBack()
    assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'Acme Corp')
    await page.getByLabel('Issuer').fill(issuer)
    await page.getByLabel('Client ID', { exact: true }).fill('reeve')
    await page.getByLabel('Client secret').fill('a secret of the client')
    assert.deepEqual(await accessibility(page), [])
    complaints.length = 0 // the way in of axe is one
    await page.getByRole('button', { name: 'Create provider' }).click()
    await page.getByRole('heading', { level: 1, name: 'Acme Corp' }).waitFor()
    assert.deepEqual((await list()).map((p) => [p.identifier, p.enabled]), [['custom:acme-corp', false]])
    assert.ok(!(await page.content()).includes('a secret of the client'))
  })

  test('is tested at the provider, changed by the one bar, and turned on', async () => {
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByText('The provider knows your client.').waitFor()
    await page.getByRole('switch', { name: 'Sign-in on' }).click()
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Acme')
    await page.getByRole('region', { name: '2 changes, not saved' }).getByRole('button', { name: 'Save' }).click()
    await notified(page, 'Acme is saved.')
    assert.deepEqual((await list()).map((p) => [p.name, p.enabled]), [['Acme', true]])
    assert.deepEqual(await accessibility(page), [])
    complaints.length = 0
  })

  test('every stop of the keyboard shows where it is', async () => {
    await page.goto(`${url}/p/${project.ref}/auth/providers/custom:acme-corp`)
    await page.getByRole('heading', { level: 1, name: 'Acme' }).waitFor()
    const seen = new Set()
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab')
      const stop = await page.evaluate(() => {
        const at = document.activeElement
        if (!at || at === document.body) return null
        let shown = false
        for (let e = at; e && !shown; e = e.parentElement) shown = getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 1.5
        const { top, bottom, width, height } = at.getBoundingClientRect()
        return { name: at.getAttribute('aria-label') ?? at.textContent?.trim().slice(0, 40) ?? at.tagName, shown, inSight: width * height > 0 && bottom > 0 && top < innerHeight }
      })
      if (!stop) break
      assert.ok(stop.shown && stop.inSight, `${stop.name}: ${JSON.stringify(stop)}`)
      seen.add(stop.name)
    }
    for (const name of ['Delete provider', 'Test']) assert.ok(seen.has(name), `the keyboard does not reach ${name}`)
  })

  test('is deleted by its typed name', async () => {
    await page.getByRole('button', { name: 'Delete provider' }).click()
    const dialog = page.getByRole('dialog')
    assert.ok(await dialog.getByRole('button', { name: 'Delete provider' }).isDisabled())
    await dialog.getByLabel(/Type/).fill('custom:acme-corp')
    await dialog.getByRole('button', { name: 'Delete provider' }).click()
    await notified(page, 'Acme is deleted.')
    await page.getByText('None yet.').waitFor()
    assert.deepEqual(await list(), [])
    assert.deepEqual(complaints, [])
  })
})
