// The first minute: a project by its name, its values, a user signed up on the page,
// the mail and the row.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { deleteProject, manage } from './world.js'

describe('the first minute', () => {
  let browser, page, complaints, context, ref
  before(async () => {
    browser = await launch()
    ;({ page, complaints, context } = await open(browser))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    if (ref) await deleteProject({ ref })
  })

  test('a name makes a project, whose secrets are shown this once', async () => {
    const name = `First minute ${Date.now()}`
    await page.goto(`${url}/orgs/default`)
    await page.getByRole('button', { name: 'Create project' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Create project' }).click()
    await dialog.getByText('Give it a name').waitFor()
    await dialog.getByLabel('Name').fill(name)
    await dialog.getByRole('button', { name: 'Create project' }).click()
    await page.getByRole('heading', { name: `${name} is ready` }).waitFor()
    ref = new URL(page.url()).pathname.split('/')[2]
    const text = await page.locator('main').innerText()
    assert.ok(text.includes(`storageKey: 'sb-${ref}-auth-token'`))
    await page.getByRole('group', { name: 'Secret key' }).getByRole('button', { name: 'Reveal' }).click()
    const secret = await page.getByText(/^sb_secret_/).innerText()
    const project = await manage('GET', `/v1/projects/${ref}`)
    const admin = await fetch(`${project.url}/auth/v1/admin/users`, { headers: { apikey: secret } })
    assert.equal(admin.status, 200, 'the secret key that was shown works')
    for (const language of ['React', 'Next.js', 'Flutter', 'Swift', 'Python', 'curl']) {
      await page.getByRole('button', { name: language, exact: true }).click()
      assert.ok((await page.locator('pre').first().innerText()).includes(project.url), language)
    }
  })

  test('what the page gives runs as it is, where its tool is here', async (t) => {
    const given = async (language) => {
      await page.getByRole('button', { name: language, exact: true }).click()
      return page.locator('pre').first().innerText()
    }
    const signedUp = async (email) => (await manage('GET', `/v1/projects/${ref}/auth/users?q=${email}`)).users.map((u) => u.email)
    const folder = await mkdtemp(join(tmpdir(), 'snippet-'))
    try {
      await t.test('curl', async () => {
        const code = (await given('curl')).replaceAll('ada@', 'curl@')
        const answer = JSON.parse(execFileSync('sh', ['-c', code], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
        assert.equal(answer.email, 'curl@example.com', JSON.stringify(answer))
        assert.deepEqual(await signedUp('curl@example.com'), ['curl@example.com'])
      })
      await t.test('JavaScript', async () => {
        await symlink(new URL('../node_modules', import.meta.url).pathname, join(folder, 'node_modules'))
        const realtime = "globalThis.WebSocket ??= class {}\n" // for Node 20
        await writeFile(join(folder, 'main.mjs'), `${realtime}${(await given('JavaScript')).replaceAll('ada@', 'node@')}\nif (error) throw error\nprocess.exit(0)`)
        execFileSync(process.execPath, [join(folder, 'main.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] })
        assert.deepEqual(await signedUp('node@example.com'), ['node@example.com'])
      })
      const python = spawnSync('python3', ['-c', 'import supabase']).status === 0
      await t.test('Python', { skip: !python && 'the package supabase is not installed' }, async () => {
        execFileSync('python3', ['-c', (await given('Python')).replaceAll('ada@', 'python@')])
        assert.deepEqual(await signedUp('python@example.com'), ['python@example.com'])
      })
    } finally {
      await rm(folder, { recursive: true })
      await manage('POST', `/v1/projects/${ref}/database/query`, { query: 'delete from auth.users' })
    }
  })

  test('the form signs a user up; the mail arrives, and its link confirms the row', async () => {
    const address = await page.getByLabel('E-mail address').inputValue()
    await page.getByRole('button', { name: 'Sign up', exact: true }).click()
    await page.getByText(/Signed up in/).waitFor()
    await page.getByText('Waits for the link in the mail').waitFor()
    assert.ok((await page.locator('#try pre').innerText()).includes(`"email": "${address}"`))
    const link = page.getByRole('link', { name: 'Open its link' })
    await link.waitFor()
    const mail = (await manage('GET', `/v1/projects/${ref}/inbox`)).find((m) => m.to === address)
    assert.ok(mail)
    assert.equal(await link.getAttribute('href'), mail.links[0])
    assert.deepEqual(await accessibility(page), [])

    const [landing] = await Promise.all([context.waitForEvent('page'), link.click()])
    await landing.getByRole('button').click()
    await landing.waitForURL(/\/landing\//)
    await landing.close()
    await page.getByText('Confirmed', { exact: true }).waitFor()
    const { users } = await manage('GET', `/v1/projects/${ref}/auth/users`)
    assert.deepEqual(users.map((u) => [u.email, Boolean(u.email_confirmed_at)]), [[address, true]])
  })

  test('after a reload the secrets are gone, and the page says where to get others', async () => {
    await page.reload()
    await page.getByText('were shown when the project was created').waitFor()
    assert.ok(!(await page.content()).includes('sb_secret_'))
  })

  test('a refused sign-up is explained, and keeps what was typed', async () => {
    await page.getByLabel('Password').fill('x')
    const address = await page.getByLabel('E-mail address').inputValue()
    complaints.length = 0
    await page.getByRole('button', { name: 'Sign up', exact: true }).click()
    await page.getByRole('alert').filter({ hasText: 'weak_password' }).waitFor()
    assert.equal(await page.getByLabel('E-mail address').inputValue(), address)
    complaints.splice(0, complaints.length, ...complaints.filter((c) => !/\/auth\/v1\/signup/.test(c)))
  })

  test('nothing complained', () => assert.deepEqual(complaints, []))
})
