// The account page, the palette, and what signing out leaves in the browser.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { join } from './people.js'
import { createProject, deleteProject, app, password } from './world.js'

describe('a person', () => {
  let browser, operator, guest, org, project
  before(async () => {
    browser = await launch()
    operator = await open(browser)
    await signIn(operator.page)
    org = await operator.page.evaluate(() => fetch('/v1/organizations', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"Accounts"}' }).then((r) => r.json()))
    guest = await join(browser, operator.page, org.slug, 'developer')
    project = await createProject('Palette')
    await app(project).auth.signUp({ email: 'ada@example.com', password })
  })
  after(async () => {
    await browser?.close()
    if (project) await deleteProject(project)
  })

  test('renames themselves, ends another session, and a token works until it is revoked', async () => {
    const { page } = guest
    await page.goto(`${url}/account`)
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace')
    await page.getByRole('button', { name: 'Save name' }).click()
    await notified(page, 'Your name was saved')
    assert.equal((await page.evaluate(() => fetch('/v1/profile').then((r) => r.json()))).name, 'Ada Lovelace')
    assert.deepEqual(await accessibility(page), [])

    const second = await open(browser)
    await second.page.goto(`${url}/sign-in`)
    await second.page.getByLabel('E-mail address').fill(guest.email)
    await second.page.getByLabel('Password').fill(password)
    await second.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await second.page.waitForURL(/\/orgs\//)
    await page.reload()
    const sessions = page.getByRole('list', { name: 'Your sessions' }).getByRole('listitem')
    await sessions.nth(1).waitFor()
    assert.equal(await sessions.count(), 2)
    await page.getByRole('button', { name: /^End the session/ }).first().click()
    await notified(page, 'The session has ended')
    assert.equal(await second.page.evaluate(() => fetch('/v1/profile').then((r) => r.status)), 401)
    await second.context.close()

    await page.getByRole('button', { name: 'Create token' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('laptop')
    await dialog.getByRole('button', { name: 'Create token' }).click()
    await dialog.getByRole('button', { name: 'Reveal' }).click()
    const token = (await dialog.getByText(/^sbp_/).textContent()).trim()
    await dialog.getByRole('button', { name: 'Done' }).click()
    const status = () => fetch(`${url}/v1/profile`, { headers: { Authorization: `Bearer ${token}` } }).then((r) => r.status)
    assert.equal(await status(), 200)
    await page.getByRole('row').filter({ hasText: 'laptop' }).getByRole('button').last().click()
    await page.getByRole('menuitem', { name: 'Revoke' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await notified(page, 'The token laptop was revoked')
    assert.equal(await status(), 401)
    assert.deepEqual(guest.complaints, [])
  })

  test('reaches everything by keys: the palette, g u, and the list of keys', async () => {
    const { page, complaints } = operator
    await page.goto(`${url}/p/${project.ref}`)
    await page.locator('h1').first().waitFor()
    await page.keyboard.press('Control+k')
    const palette = page.getByRole('dialog')
    await palette.getByRole('combobox').fill('ada@example.com')
    await palette.getByRole('option', { name: /ada@example\.com/ }).first().waitFor()
    assert.deepEqual(await accessibility(page), [])
    await palette.getByRole('option', { name: /ada@example\.com/ }).first().click()
    await page.waitForURL(/\/users\//)
    await page.getByRole('heading', { name: 'ada@example.com' }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('l')
    await page.waitForURL(/\/logs/)
    await page.keyboard.press('g')
    await page.keyboard.press('u')
    await page.waitForURL(/\/users$/)
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.deepEqual(complaints, [])
  })

  test('finds nothing of who signed out before them in the same browser', async () => {
    const { page } = operator
    await page.goto(`${url}/p/${project.ref}/database`)
    const editor = page.getByRole('textbox', { name: /SQL/ }).first()
    await editor.click()
    await page.keyboard.type("select 'secret of the operator'")
    await page.keyboard.press('Control+Enter')
    await page.getByRole('gridcell', { name: 'secret of the operator' }).or(page.getByRole('cell', { name: 'secret of the operator' })).first().waitFor()
    const keptHere = () => page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))
    assert.match(await keptHere(), /secret of the operator/)
    await page.getByRole('button', { name: /operator@/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.waitForURL(/\/sign-in/)
    assert.doesNotMatch(await keptHere(), /secret|reeve-kept|reeve-person/)
  })
})
