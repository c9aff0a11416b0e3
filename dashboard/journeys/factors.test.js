// A user's second factors, passkeys and ended sessions, as support sees them: a factor
// is renamed and removed, a passkey that may have been copied says so.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { app, codeOf, createProject, deleteProject, manage, password } from './world.js'

describe("a user's factors", () => {
  let browser, project, page, complaints, user, client
  const detail = () => manage('GET', `/v1/projects/${project.ref}/auth/users/${user.id}`)
  const sound = async () => {
    const told = [...complaints]
    const axe = await accessibility(page)
    complaints.length = 0 // the way in of axe is one
    assert.deepEqual({ complaints: told, axe }, { complaints: [], axe: [] })
  }

  before(async () => {
    project = await createProject('Factors journey')
    user = (await app(project, project.secret_key).auth.admin.createUser({ email: 'ann@example.com', password, email_confirm: true })).data.user
    client = app(project)
    await client.auth.signInWithPassword({ email: user.email, password })
    const { data: factor } = await client.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'Old phone' })
    const { error } = await client.auth.mfa.challengeAndVerify({ factorId: factor.id, code: codeOf(factor.totp.secret) })
    assert.equal(error, null)
    await manage('POST', `/v1/projects/${project.ref}/database/query`, {
      query: `insert into auth.webauthn_credentials (id, user_id, credential_id, public_key, friendly_name, backup_eligible, backed_up, clone_warning_at) values
        (gen_random_uuid(), '${user.id}', '\\x01', '\\x02', 'Laptop', true, true, null), (gen_random_uuid(), '${user.id}', '\\x03', '\\x04', 'Token', false, false, now())`,
    })
    browser = await launch()
    ;({ page, complaints } = await open(browser))
    await signIn(page)
    await page.goto(`${url}/p/${project.ref}/users/${user.id}`)
  })
  after(async () => {
    await browser?.close()
    if (project) await deleteProject(project)
  })

  test('a factor is renamed, and has its new name for the user too', async () => {
    const row = page.getByRole('list', { name: 'Second factors of the user' }).getByRole('listitem').filter({ hasText: 'Authenticator app' })
    await row.getByText('In use').waitFor()
    await row.getByRole('button', { name: 'Rename: Old phone' }).click()
    const dialog = page.getByRole('dialog', { name: 'Rename' })
    assert.ok(await dialog.getByRole('button', { name: 'Rename' }).isDisabled())
    await dialog.getByLabel('Name').fill('هاتف قديم')
    await dialog.getByRole('button', { name: 'Rename' }).click()
    await notified(page, 'The factor has its new name')
    await row.getByText('هاتف قديم').waitFor()
    assert.equal((await client.auth.mfa.listFactors()).data.totp[0].friendly_name, 'هاتف قديم')
    await sound()
  })

  test('passkeys say where they are, and which may have been copied; one is removed', async () => {
    const list = page.getByRole('list', { name: 'Passkeys of the user' })
    assert.match(await list.getByRole('listitem').filter({ hasText: 'Laptop' }).innerText(), /Synced to other devices/)
    assert.match(await list.getByRole('listitem').filter({ hasText: 'Token' }).innerText(), /On one device[\s\S]*May have been copied/)
    await list.getByRole('button', { name: 'Remove: Token' }).click()
    await page.getByRole('dialog', { name: 'Remove Token?' }).getByRole('button', { name: 'Remove' }).click()
    await notified(page, 'The passkey was removed')
    await list.getByText('Token').waitFor({ state: 'detached' })
    assert.deepEqual((await detail()).passkeys.map((p) => p.friendly_name), ['Laptop'])
    await sound()
  })

  test('a removed factor is gone, and an ended session says why it ended', async () => {
    const factors = page.getByRole('list', { name: 'Second factors of the user' })
    await factors.getByRole('button', { name: 'Remove: هاتف قديم' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
    await notified(page, 'The factor was removed')
    await page.getByText('No second factor.').waitFor()
    await page.getByRole('region', { name: 'Sessions' }).getByRole('button', { name: 'End session' }).first().click()
    await page.getByRole('dialog', { name: 'End this session?' }).getByRole('button', { name: 'End session' }).click()
    await notified(page, 'The session was ended')
    await page.getByText(/^Ended sessions \(\d+\)$/).click()
    await page.getByRole('list', { name: 'Sessions that ended in the last 30 days' }).getByText(/ended by an admin/).first().waitFor()
    await sound()
  })
})
