// What happened: the project's log and its live tail, captured messages, the
// organization's audit log; and branches.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

describe('what happened', () => {
  let browser, page, complaints, project
  before(async () => {
    project = await createProject('What happened')
    browser = await launch()
    ;({ page, complaints } = await open(browser))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    await deleteProject(project)
  })
  const signUp = (email, emailRedirectTo) => app(project).auth.signUp({ email, password, options: { emailRedirectTo } })

  test('the live tail shows a refusal that the SDK causes; paused, it waits', async () => {
    await page.goto(`${url}/p/${project.ref}/logs`)
    await page.getByText('The log is empty').waitFor()
    assert.deepEqual(await accessibility(page), [])
    const tailed = page.waitForResponse((r) => r.url().includes('/logs/tail') && r.status() === 200)
    await page.getByRole('button', { name: 'Go live' }).click()
    await tailed
    await signUp('ada@example.com', 'https://not-allowed.example.net/')
    const row = page.getByRole('row').filter({ hasText: 'redirect_refused' })
    await row.waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await app(project, 'sb_publishable_wrong').auth.signInWithPassword({ email: 'ada@example.com', password })
    await page.getByText('Paused: 1 new entry').waitFor()
    assert.equal(await page.getByRole('row').filter({ hasText: 'invalid_api_key' }).count(), 0)
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('row').filter({ hasText: 'invalid_api_key' }).waitFor()

    await row.click()
    const sheet = page.getByRole('dialog', { name: 'redirect_refused' })
    await sheet.getByText('https://not-allowed.example.net/').first().waitFor()
    assert.deepEqual(await accessibility(page), [])
  })

  test('entries are found by code, text, level and request, and the address keeps the search', async () => {
    const [entry] = (await manage('GET', `/v1/projects/${project.ref}/logs?code=redirect_refused`)).logs
    await page.goto(`${url}/p/${project.ref}/logs`)
    const rows = page.getByRole('table').getByRole('row')
    const other = page.getByRole('row').filter({ hasText: 'invalid_api_key' }).first()
    await other.waitFor() // before that, nothing could go
    await page.getByLabel('Code').fill('redirect_refused')
    await page.waitForURL(/code=redirect_refused/)
    await other.waitFor({ state: 'detached' })
    await page.reload()
    await page.getByRole('row').filter({ hasText: 'redirect_refused' }).waitFor()
    assert.equal(await rows.count(), 2)
    await page.getByLabel('Least level').selectOption('error')
    await page.getByText('Nothing matches').waitFor()
    await page.getByRole('button', { name: 'Clear filters' }).first().click()
    await other.waitFor()
    await page.getByLabel('Request id').fill(entry.request_id)
    await other.waitFor({ state: 'detached' })
    await page.goto(`${url}/p/${project.ref}/logs?entry=${entry.id}&q=not-allowed`)
    await page.getByRole('dialog', { name: 'redirect_refused' }).waitFor()
    // It is found by its address even where the filters leave it out.
    await page.goto(`${url}/p/${project.ref}/logs?entry=${entry.id}&code=trigger_failed`)
    await page.getByRole('dialog', { name: 'redirect_refused' }).waitFor()
  })

  test('a captured mail is read, its code copied, and all are deleted', async () => {
    const [mail] = await manage('GET', `/v1/projects/${project.ref}/inbox`)
    await page.goto(`${url}/p/${project.ref}/inbox`)
    await page.getByRole('button', { name: /ada@example.com/ }).click()
    const article = page.getByRole('article')
    await article.getByText(mail.code, { exact: true }).waitFor()
    await article.getByRole('button', { name: 'Copy' }).first().click()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), mail.code)
    assert.equal(await article.getByRole('link', { name: /Open/ }).first().getAttribute('href'), mail.links[0])
    await page.frameLocator('iframe').getByText(mail.code).first().waitFor()
    assert.equal(await page.locator('iframe').getAttribute('sandbox'), '')
    await article.getByRole('tab', { name: 'Plain text' }).click()
    await article.locator('pre').getByText(mail.code).waitFor()
    assert.deepEqual(await accessibility(page), [])
    await signUp('grace@example.com')
    await page.getByRole('button', { name: /grace@example.com/ }).waitFor()
    await page.getByRole('button', { name: 'Delete all' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete all' }).click()
    await page.getByText('Nothing was captured').waitFor()
    assert.deepEqual(await manage('GET', `/v1/projects/${project.ref}/inbox`), [])
  })

  test('the audit log shows what a change replaced, and its chain is whole', async () => {
    await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { site_url: 'https://before.example.com' })
    await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { site_url: 'https://after.example.com' })
    await page.goto(`${url}/orgs/default/audit?project=${project.ref}&action=update-auth-config`)
    await page.getByRole('row').filter({ hasText: 'update-auth-config' }).first().click()
    const sheet = page.getByRole('dialog', { name: 'update-auth-config' })
    await sheet.getByRole('deletion').getByText('https://before.example.com').waitFor()
    await sheet.getByRole('insertion').getByText('https://after.example.com').waitFor()
    assert.deepEqual(await accessibility(page), [])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Verify the chain' }).click()
    await page.getByText('The log is what was written').waitFor()
    const downloaded = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export' }).click()
    const stream = await (await downloaded).createReadStream()
    const lines = (await stream.toArray()).join('').trim().split('\n').map((l) => JSON.parse(l))
    assert.ok(lines.length >= 2 && lines.every((e) => e.action === 'update-auth-config' && e.ref === project.ref))
  })

  test('a branch is created with its secrets, reset and deleted', async () => {
    await page.goto(`${url}/p/${project.ref}/branches`)
    await page.getByText('No branches yet').waitFor()
    await page.getByRole('button', { name: 'Create branch' }).first().click()
    const form = page.getByRole('dialog', { name: 'Create a branch' })
    await form.getByLabel('Name').fill('pr-42')
    await form.getByLabel('Git branch').fill('feature/notes')
    await form.getByLabel('Deletes itself').selectOption('1h')
    await form.getByRole('button', { name: 'Create branch' }).click()
    const made = page.getByRole('dialog', { name: 'pr-42 is ready' })
    await made.waitFor({ timeout: 60_000 })
    const env = Object.fromEntries((await made.locator('pre').innerText()).trim().split('\n').map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]))
    await made.getByRole('button', { name: 'I have copied them' }).click()
    const admin = app({ ...project, url: env.AUTH_URL }, env.AUTH_SECRET_KEY).auth.admin
    const { data } = await admin.listUsers()
    assert.deepEqual(data.users.map((u) => u.email).sort(), ['ada@example.com', 'grace@example.com'])

    await admin.deleteUser(data.users[0].id)
    const row = page.getByRole('row').filter({ hasText: 'pr-42' })
    await row.getByText('feature/notes').waitFor()
    await row.getByRole('button', { name: /pr-42/ }).click()
    await page.getByRole('menuitem', { name: 'Reset' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Reset branch' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached', timeout: 60_000 })
    assert.equal((await admin.listUsers()).data.users.length, 2)
    assert.deepEqual(await accessibility(page), [])

    await row.getByRole('button', { name: /pr-42/ }).click()
    await page.getByRole('menuitem', { name: 'Delete', exact: true }).click()
    const confirm = page.getByRole('dialog', { name: 'Delete pr-42' })
    await confirm.getByRole('textbox').fill('pr-42')
    await confirm.getByRole('button', { name: 'Delete branch' }).click()
    await notified(page, 'Deleted pr-42')
    assert.deepEqual(complaints, [])
  })
})
