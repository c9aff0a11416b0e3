// API keys: created, used, rotated with an overlap, deleted. Signing keys: rotated.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

describe('keys', () => {
  let browser, page, complaints, project, dialog
  before(async () => {
    project = await createProject('Keys', { mailer_autoconfirm: true })
    browser = await launch()
    ;({ page, complaints } = await open(browser))
    await signIn(page)
    dialog = page.getByRole('dialog')
  })
  after(async () => {
    await browser?.close()
    await deleteProject(project)
  })

  const list = (key) => app(project, key).auth.admin.listUsers()
  /** Follows the answers for a key until its refusal is as expected. */
  async function until(key, code) {
    let error
    for (let i = 0; i < 50; i++) {
      ;({ error } = await list(key))
      if ((error?.code ?? undefined) === code) return
      await new Promise((done) => setTimeout(done, 100))
    }
    assert.equal(error?.code, code)
  }
  const shownKey = async () => (await dialog.locator('pre').innerText()).trim()

  test('a key with scopes is shown once, rotated with an overlap, and both work', async () => {
    await page.goto(`${url}/p/${project.ref}/keys`)
    await page.getByRole('button', { name: 'Create key' }).click()
    await dialog.getByLabel('Name').fill('x')
    await dialog.getByRole('button', { name: 'Create key' }).click()
    await dialog.getByText('Use 4 to 64 of').waitFor()
    await dialog.getByLabel('Name').fill('nightly')
    await dialog.getByLabel('May do').selectOption('some')
    await dialog.getByLabel('auth.users.read').check()
    await dialog.getByRole('button', { name: 'Create key' }).click()
    await page.getByRole('heading', { name: 'Copy the key now' }).waitFor()
    const old = await shownKey()
    assert.match(old, /^sb_secret_/)
    await page.keyboard.press('Escape')
    assert.equal(await shownKey(), old, 'no slip closes it')
    await dialog.getByRole('button', { name: 'I have copied it' }).click()
    assert.equal(await page.getByText(old).count(), 0)
    await until(old, undefined)
    const refused = await app(project, old).auth.admin.createUser({ email: 'a@example.com', password })
    assert.equal(refused.error.code, 'api_key_scope_missing')

    await page.getByRole('row').filter({ hasText: 'nightly' }).getByText('nightly').click()
    await page.getByRole('button', { name: 'Rotate' }).click()
    await page.getByLabel('The old key works on for').selectOption('1 hour')
    await dialog.last().getByRole('button', { name: 'Rotate' }).click()
    await page.getByRole('heading', { name: 'Copy the key now' }).waitFor()
    const made = page.getByRole('dialog', { name: 'Copy the key now' })
    await made.getByText('The key before it works until').waitFor()
    const fresh = (await made.locator('pre').innerText()).trim()
    assert.notEqual(fresh, old)
    await until(fresh, undefined)
    await until(old, undefined)
    await made.getByRole('button', { name: 'I have copied it' }).click()
    await page.getByText('Both work until').waitFor()
    const keys = (await manage('GET', `/v1/projects/${project.ref}/api-keys`)).filter((k) => k.name === 'nightly')
    assert.equal(keys.length, 2)
    assert.ok(Math.abs(Date.parse(keys[0].expires_at) - Date.now() - 3_600_000) < 120_000)
    assert.deepEqual(keys[1].scopes, ['auth.users.read'])
  })

  test('after a rotation without an overlap only the new key works', async () => {
    await page.goto(`${url}/p/${project.ref}/keys`)
    const row = page.getByRole('row').filter({ hasText: 'nightly' }).filter({ hasNotText: 'Replaced' })
    await row.getByRole('button', { name: /Details/ }).click()
    await page.getByRole('menuitem', { name: 'Rotate' }).click()
    await page.getByLabel('The old key works on for').selectOption('Not at all')
    const before = (await manage('GET', `/v1/projects/${project.ref}/api-keys`)).at(-1)
    await dialog.getByRole('button', { name: 'Rotate' }).click()
    await page.getByText('The key before it does not work any more').waitFor()
    const fresh = await shownKey()
    await until(fresh, undefined)
    await dialog.getByRole('button', { name: 'I have copied it' }).click()
    const now = await manage('GET', `/v1/projects/${project.ref}/api-keys/${before.id}`)
    assert.ok(Date.parse(now.expires_at) <= Date.now())
  })

  test('who uses a key is told, and it is deleted by its name', async () => {
    const { id } = (await manage('GET', `/v1/projects/${project.ref}/api-keys`)).find((k) => k.name === 'nightly' && k.replaced_by)
    for (let i = 0; i < 40; i++) {
      if ((await manage('GET', `/v1/projects/${project.ref}/api-keys/${id}/usage`)).last_used_at) break
      await new Promise((done) => setTimeout(done, 500))
    }
    await page.goto(`${url}/p/${project.ref}/keys?key=${id}`)
    await dialog.getByText('Who still uses it').waitFor()
    await dialog.getByText('supabase-js').first().waitFor()
    await dialog.getByText(/requests in 30 days/).waitFor()
    assert.deepEqual(await accessibility(page), [])
    await dialog.getByRole('button', { name: 'Delete' }).click()
    const confirm = page.getByRole('dialog', { name: 'Delete nightly' })
    assert.equal(await confirm.getByRole('button', { name: 'Delete key' }).isDisabled(), true)
    await confirm.getByRole('textbox').fill('nightly')
    await confirm.getByRole('button', { name: 'Delete key' }).click()
    await notified(page, 'Deleted nightly')
    assert.equal((await manage('GET', `/v1/projects/${project.ref}/api-keys`)).some((k) => k.id === id), false)
  })

  test('a signing key goes from standby into use; old tokens stay good until it is revoked', async () => {
    const client = app(project)
    const { data } = await client.auth.signUp({ email: `ada.${Date.now()}@example.com`, password })
    const token = data.session.access_token
    const kid = JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid
    await page.goto(`${url}/p/${project.ref}/keys/signing`)
    await page.getByRole('button', { name: 'Create key' }).click()
    await dialog.getByRole('button', { name: 'Create key' }).click()
    await notified(page, 'The key is created')
    const standby = page.getByRole('region', { name: 'Standby' })
    await standby.getByRole('button', { name: 'Put in use' }).click()
    await dialog.getByText('created less than 20 minutes ago').waitFor()
    await dialog.getByRole('button', { name: 'Put in use' }).click()
    const previous = page.getByRole('region', { name: 'Previously used' })
    await previous.getByText(kid).waitFor()
    const user = () => client.auth.getUser(token)
    assert.equal((await user()).error, null, 'an old token is accepted')
    await previous.getByRole('button', { name: 'Revoke' }).click()
    await dialog.getByText('may still be in use').waitFor()
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('region', { name: 'Revoked' }).getByText(kid).waitFor()
    let error
    for (let i = 0; i < 50 && !error; i++) {
      ;({ error } = await user())
      await new Promise((done) => setTimeout(done, 100))
    }
    assert.equal(error?.code, 'bad_jwt')
    const jwks = await fetch(`${project.url}/auth/v1/.well-known/jwks.json`).then((r) => r.json())
    assert.equal(jwks.keys.some((k) => k.kid === kid), false)
  })

  test('legacy keys are switched on, shown, and refused again', async () => {
    await page.goto(`${url}/p/${project.ref}/keys`)
    await page.getByRole('switch', { name: 'Accept legacy keys' }).click()
    await page.getByRole('row').filter({ hasText: 'service_role' }).waitFor()
    const anon = (await manage('GET', `/v1/projects/${project.ref}/api-keys`)).find((k) => k.name === 'anon')
    assert.equal(anon.type, 'legacy')
    await page.getByRole('switch', { name: 'Accept legacy keys' }).click()
    await dialog.getByRole('button', { name: 'Stop accepting' }).click()
    await page.getByText('Refused', { exact: true }).waitFor()
    await dialog.waitFor({ state: 'detached' })
    assert.deepEqual(await manage('GET', `/v1/projects/${project.ref}/api-keys/legacy`), { enabled: false })
  })

  test('nothing to complain of', async () => {
    for (const path of ['keys', 'keys/signing']) {
      await page.goto(`${url}/p/${project.ref}/${path}`)
      await page.locator('h1').waitFor()
      await page.waitForLoadState('networkidle')
      assert.deepEqual(await accessibility(page), [], path)
    }
    assert.deepEqual(complaints, [])
  })
})
