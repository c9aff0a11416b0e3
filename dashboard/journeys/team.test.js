// Members, invitations, roles and service tokens of an organization.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { launch, notified, open, signIn, url } from './browser.js'
import { manage } from './world.js'

describe('a team', () => {
  let browser, page, complaints, org
  before(async () => {
    browser = await launch()
    ;({ page, complaints } = await open(browser, { expected: [/\/roles/] }))
    await signIn(page)
    // A session makes an organization; its person becomes the owner.
    org = await page.evaluate(() => fetch('/v1/organizations', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"A team"}' }).then((r) => r.json()))
  })
  after(() => browser?.close())

  test('an invitation is sent, sent again and revoked', async () => {
    const email = `ada.${Date.now()}@example.com`
    await page.goto(`${url}/orgs/${org.slug}/members`)
    await page.getByRole('button', { name: 'Invite a person' }).click()
    await page.getByRole('button', { name: 'Send invitation' }).click()
    await page.getByText('Enter a complete address').waitFor()
    await page.getByLabel('E-mail address').fill(email)
    await page.getByRole('radio', { name: /read_only/ }).check()
    await page.getByRole('button', { name: 'Send invitation' }).click()
    await notified(page, `An invitation is on its way to ${email}`)
    assert.deepEqual((await manage('GET', `/v1/organizations/${org.slug}/invitations`)).map((i) => [i.email, i.role]), [[email, 'read_only']])

    await page.getByRole('link', { name: 'Invitations' }).click()
    const row = page.getByRole('row').filter({ hasText: email })
    await row.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Revoke' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('No open invitations').waitFor()
    assert.deepEqual(await manage('GET', `/v1/organizations/${org.slug}/invitations`), [])
  })

  test('a role of its own is defined, refused with a name that is taken, and deleted', async () => {
    await page.goto(`${url}/orgs/${org.slug}/members/roles`)
    await page.getByRole('button', { name: 'Create role' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('owner')
    await dialog.getByRole('group', { name: 'logs' }).getByLabel('read').check()
    await dialog.getByRole('button', { name: 'Save role' }).click()
    await dialog.getByRole('alert').waitFor()
    assert.equal(await dialog.getByLabel('Name').inputValue(), 'owner', 'nothing typed is lost')
    await dialog.getByLabel('Name').fill('support')
    await dialog.getByRole('button', { name: 'Save role' }).click()
    await notified(page, 'The role support was saved')
    const role = async () => (await manage('GET', `/v1/organizations/${org.slug}/roles`)).find((r) => r.name === 'support')
    assert.deepEqual((await role()).permissions, ['logs:read'])

    await page.getByRole('button', { name: 'More actions: support' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await notified(page, 'The role support was deleted')
    assert.equal(await role(), undefined)
  })

  test('a service token is shown once, works, and ends when it is revoked', async () => {
    await page.goto(`${url}/orgs/${org.slug}/tokens`)
    await page.getByRole('button', { name: 'Create token' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('deploy')
    await dialog.getByRole('button', { name: 'Create token' }).click()
    await dialog.getByRole('button', { name: 'Reveal' }).click()
    const token = (await dialog.getByText(/^sbp_/).textContent()).trim()
    await dialog.getByRole('button', { name: 'Done' }).click()
    const status = () => fetch(`${url}/v1/projects`, { headers: { Authorization: `Bearer ${token}` } }).then((r) => r.status)
    assert.equal(await status(), 200)
    assert.ok(!(await page.content()).includes(token), 'it is gone from the page')

    await page.getByRole('row').filter({ hasText: 'deploy' }).getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Revoke' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await notified(page, 'The token deploy was revoked')
    assert.equal(await status(), 401)
  })

  test('the last owner cannot leave, and reads why', async () => {
    await page.goto(`${url}/orgs/${org.slug}/members`)
    await page.getByRole('row').filter({ hasText: 'you' }).getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Leave' }).click()
    complaints.length = 0
    await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('dialog').getByRole('alert').waitFor()
    assert.match(await page.getByRole('dialog').innerText(), /owner/i)
    complaints.length = 0 // the refusal itself
  })

  test('nothing complained', () => assert.deepEqual(complaints, []))
})
