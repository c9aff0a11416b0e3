// The home of a project: how it is reached, what needs attention, what happens.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { launch, notified, open, signIn, url } from './browser.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

describe('the home of a project', () => {
  let browser, page, complaints, project
  before(async () => {
    project = await createProject('Home journey', { password_min_length: 6 })
    browser = await launch()
    ;({ page, complaints } = await open(browser))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    await deleteProject(project)
  })

  test('an empty project shows the code that signs up its first user, and what is to be mended', async () => {
    await page.goto(`${url}/p/${project.ref}`)
    const code = page.locator('#connect pre')
    await code.waitFor()
    assert.match(await code.innerText(), new RegExp(`createClient\\('${project.url}', '${project.publishable_key}'`))
    await page.getByRole('region', { name: 'What needs attention' }).getByText('Passwords may be short.').waitFor()
    await page.getByText('Nothing has happened yet.').waitFor()
    await page.goto(`${url}/p/${project.ref}/users`)
    await page.getByRole('heading', { name: 'No users yet' }).waitFor()
    assert.match(await page.locator('pre').innerText(), /signUp/)
    assert.deepEqual(complaints, [])
  })

  test('a sign-up and a refusal are seen, and lead to the user', async () => {
    const { data } = await app(project, project.secret_key).auth.admin.createUser({ email: 'ada@example.com', password, email_confirm: true })
    await app(project).auth.signInWithPassword({ email: 'ada@example.com', password })
    await app(project).auth.signInWithPassword({ email: 'ada@example.com', password: 'wrong' })
    await page.goto(`${url}/p/${project.ref}?range=24h`)
    const events = page.getByRole('region', { name: 'Last events' })
    await events.getByText('Refused: wrong password').waitFor({ timeout: 30_000 })
    await page.locator('#connect details:not([open])').waitFor() // the code is put away
    assert.equal(await page.getByLabel('Range').inputValue(), '24h')
    await events.getByRole('link', { name: 'ada@example.com' }).first().click()
    await page.waitForURL(`**/users/${data.user.id}`)
    assert.deepEqual(complaints, [])
  })

  test('a paused project says so, and is restored', async () => {
    await page.goto('about:blank') // what is asked meanwhile is refused, which is no fault
    await manage('POST', `/v1/projects/${project.ref}/pause`)
    complaints.length = 0
    await page.goto(`${url}/p/${project.ref}`)
    await page.getByText('This project is paused: apps cannot use it. Nothing is lost.').waitFor()
    assert.deepEqual(complaints, [])
    await page.getByRole('button', { name: 'Restore' }).click()
    await notified(page, 'The project is being restored')
    await page.getByRole('region', { name: 'What needs attention' }).waitFor()
    assert.equal((await manage('GET', `/v1/projects/${project.ref}`)).status, 'ACTIVE_HEALTHY')
  })
})
