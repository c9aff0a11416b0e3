// Hooks: set up by the recipe that the page shows, tested, saved by the one bar; then
// what an app's sign-ins make of them, and their calls as the page shows them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { join } from './people.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

const labels = {
  custom_access_token: 'Claims of access tokens',
  before_user_created: 'Before a user is created',
  after_user_created: 'After a user was created',
  password_verification_attempt: 'After a password was compared',
  mfa_verification_attempt: 'After a second factor was compared',
}

describe('hooks', () => {
  let browser, project, page, complaints, user
  const sql = (query) => manage('POST', `/v1/projects/${project.ref}/database/query`, { query })
  const go = async (path) => {
    await page.goto(`${url}/p/${project.ref}/auth/hooks${path}`)
    await page.locator('h1').waitFor()
  }
  const save = async () => {
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText(/^Saved as version \d+\.$/).last().waitFor()
    await page.getByRole('region', { name: /not saved/ }).waitFor({ state: 'detached' })
  }
  const signInAs = (email) => app(project).auth.signInWithPassword({ email, password })
  const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
  const sound = async () => {
    const told = [...complaints]
    const axe = await accessibility(page)
    complaints.length = 0 // the way in of axe is one
    assert.deepEqual({ complaints: told, axe }, { complaints: [], axe: [] })
  }
  /** Signs in until the settings are in force. */
  const eventually = async (act, done) => {
    for (let i = 0; i < 100; i++, await new Promise((resolve) => setTimeout(resolve, 100))) {
      const got = await act()
      if (done(got)) return got
    }
    throw new Error('the settings are not in force')
  }

  before(async () => {
    project = await createProject('Hooks journey')
    const made = await app(project, project.secret_key).auth.admin.createUser({ email: 'ann@example.com', password, email_confirm: true })
    user = made.data.user
    browser = await launch()
    // A wrong address is refused by a dry run, which is what is tested.
    ;({ page, complaints } = await open(browser, { expected: [/config\/auth\?dry_run/] }))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    if (project) await deleteProject(project)
  })

  test('without any, the page teaches; the recipe that it shows works as it stands', async () => {
    await go('')
    await page.getByRole('heading', { name: 'No hook is set' }).waitFor()
    assert.equal(await page.getByRole('list', { name: 'Steps at which your code can be called' }).getByText('Not set').count(), 5)
    await sound()
    await page.getByRole('link', { name: 'Set up roles in tokens' }).click()
    await page.getByRole('heading', { level: 1, name: labels.custom_access_token }).waitFor()
    const test = page.getByRole('button', { name: 'Call it now' })
    assert.ok(await test.isDisabled())
    await sql(await page.locator('pre code').first().innerText())
    await sql(`insert into public.user_roles values ('${user.id}', 'admin')`)
    await page.getByRole('button', { name: 'Call this function' }).click()
    assert.equal(await page.getByLabel('Function', { exact: true }).inputValue(), 'public.custom_access_token_hook')
    await page.getByText('The test calls what is saved').waitFor()
    await save()
    await test.click()
    await page.getByText(/^It answered in .+, and the request would go on\./).waitFor()
    const changed = page.getByText('user_role', { exact: true }).locator('..')
    assert.match(await changed.innerText(), /∅[\s\S]*\+ null/)
    await sound()
  })

  test('a sign-in gets the claim, and its call is on the page with a link to the log', async () => {
    const got = await eventually(() => signInAs(user.email), ({ data }) => 'user_role' in claims(data.session.access_token))
    assert.equal(claims(got.data.session.access_token).user_role, 'admin')
    const row = page.getByRole('table', { name: 'Calls of the hook, the newest first' }).getByRole('row', { name: /Went on/ }).first()
    await row.waitFor()
    await row.press('Enter')
    const sheet = page.getByRole('dialog', { name: labels.custom_access_token })
    await sheet.getByText('The hook answered, and the request went on.').waitFor()
    assert.match(page.url(), /call=/)
    await page.reload()
    await sheet.getByRole('link', { name: 'What the log says of this request' }).click()
    await page.waitForURL(/\/logs\?request=/)
  })

  test('a failure fails sign-ins in the mode closed and not in shadow, and the list says both', async () => {
    await sql('drop function public.custom_access_token_hook')
    assert.equal((await signInAs(user.email)).error.status, 500)
    await go('')
    await page.getByText(/function public\.custom_access_token_hook\(.*\) does not exist/).waitFor()
    await page.getByText(/1 failed/).waitFor()
    await page.getByRole('link', { name: labels.custom_access_token }).click()
    await page.getByRole('radio', { name: /^Shadow/ }).check()
    await save()
    await eventually(() => signInAs(user.email), ({ error }) => !error)
    await page.getByRole('row', { name: /Failed.*Shadow/ }).first().waitFor()
    await sound()
  })

  test('the recipes of the other steps work too', async (t) => {
    for (const [point, label] of Object.entries(labels).slice(1)) {
      await t.test(point, async () => {
        await go(`/${point}`)
        await page.getByRole('heading', { level: 1, name: label }).waitFor()
        await sql(await page.locator('pre code').first().innerText())
        await page.getByRole('button', { name: 'Call this function' }).click()
        await save()
        await page.getByRole('button', { name: 'Call it now' }).click()
        await page.getByText(/^It answered in .+, and the request would go on\./).waitFor()
      })
    }
    const sign = (email) => app(project).auth.signUp({ email, password })
    const { error } = await eventually(() => sign(`${Date.now()}@elsewhere.example`), ({ error }) => error)
    assert.equal(error.message, 'Sign up with the address of your company.')
    assert.equal((await sign('bob@example.com')).error, null)
    assert.deepEqual((await sql("select count(*)::int from public.profiles"))[0], { count: 1 })
    for (let i = 0; i < 11; i++) await app(project).auth.signInWithPassword({ email: user.email, password: 'wrong' })
    assert.match((await signInAs(user.email)).error.message, /Too many wrong passwords/)
    await go('/before_user_created')
    const refused = page.getByRole('row', { name: /Refused.*Sign up with the address of your company/ }).first()
    await refused.waitFor()
    await sound()
  })

  test('a URL: what is wrong with it stands at its field, its secret is made here, and the test says what was sent and answered', async () => {
    const asked = []
    const server = createServer(async (req, res) => {
      const body = Buffer.concat(await req.toArray()).toString()
      asked.push({ body, signature: req.headers['webhook-signature'] })
      res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"decision":"reject","message":"Not at night"}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      await go('/mfa_verification_attempt')
      await page.getByRole('button', { name: 'A URL' }).click()
      await page.getByLabel('Address', { exact: true }).fill('ftp://hooks.example.com')
      await page.getByText(/must be pg-functions.*or an https URL/).first().waitFor()
      await page.getByLabel('Address', { exact: true }).fill(`http://127.0.0.1:${server.address().port}/`)
      await page.getByRole('button', { name: 'Make one' }).click()
      await page.getByText('Copy it into your code before you save').waitFor()
      await save()
      await page.getByRole('button', { name: 'Call it now' }).click()
      await page.getByText(/, and refused\. HTTP status 200$/).waitFor()
      assert.equal(JSON.parse(asked[0].body).factor_type, 'totp')
      assert.match(asked[0].signature, /^v1,/)
      await page.locator('pre', { hasText: 'Not at night' }).waitFor()
      assert.ok(!(await page.content()).includes('v1,whsec_'))
      await sound()
    } finally {
      server.close()
    }
  })

  test('whoever may only read sees it all, and changes nothing', async () => {
    const guest = await join(browser, page, 'default', 'read_only')
    await guest.page.goto(`${url}/p/${project.ref}/auth/hooks/custom_access_token`)
    await guest.page.getByRole('row', { name: /Went on/ }).first().waitFor()
    assert.ok(await guest.page.getByRole('button', { name: 'Call it now' }).isDisabled())
    assert.ok(await guest.page.getByRole('radio', { name: /^Open/ }).isDisabled())
    assert.ok(await guest.page.getByLabel('Function', { exact: true }).isDisabled())
    assert.deepEqual(guest.complaints, [])
    await guest.context.close()
  })
})
