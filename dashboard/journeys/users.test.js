// The users of a project: found, read, changed, kept out.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

const long = `${'Wolfeschlegelsteinhausenbergerdorff '.repeat(6)}`.slice(0, 200)
const rtl = 'محمد بن موسى الخوارزمي'

describe('users of a project', () => {
  let browser, page, complaints, project, users, admin
  const at = (path = '') => `${url}/p/${project.ref}/users${path}`
  const open1 = async (user) => {
    await page.goto(at(`/${user.id}`))
    await page.getByRole('heading', { level: 1, name: user.user_metadata.full_name }).waitFor()
  }
  const act = async (name) => {
    await page.getByRole('button', { name: 'Actions', exact: true }).click()
    await page.getByRole('menuitem', { name }).click()
  }
  const signInAs = (user, pass = password) => app(project).auth.signInWithPassword({ email: user.email, password: pass })

  before(async () => {
    project = await createProject('Users journey')
    admin = app(project, project.secret_key)
    users = {}
    for (const [key, full_name] of Object.entries({ ada: 'Ada Lovelace', grace: 'Grace Hopper', alan: 'Alan Turing', barbara: 'Barbara Liskov', tony: 'Tony Hoare', long, rtl })) {
      const { data, error } = await admin.auth.admin.createUser({ email: `${key}@example.com`, password, email_confirm: true, user_metadata: { full_name, plan: 'free' } })
      if (error) throw error
      users[key] = data.user
    }
    browser = await launch()
    ;({ page, complaints } = await open(browser))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    await deleteProject(project)
  })

  test('a search finds a user; their metadata is changed, compared and saved', async () => {
    await page.goto(at())
    await page.getByRole('row').filter({ hasText: 'Tony Hoare' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('lovelace')
    await page.getByText('Showing 1 of 1').waitFor()
    assert.match(page.url(), /[?&]q=lovelace/)
    await page.getByRole('row').filter({ hasText: 'Ada Lovelace' }).click()
    await page.getByRole('heading', { level: 1, name: 'Ada Lovelace' }).waitFor()

    const editor = page.getByRole('textbox', { name: 'User metadata' })
    const text = await editor.innerText()
    await editor.fill(text.replace('"free"', '"pro"').replace('}', '')) // not closed
    await page.getByText(/^Mend first: User metadata/).waitFor()
    assert.ok(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled())
    await editor.fill(JSON.stringify({ ...users.ada.user_metadata, plan: 'pro', theme: { dark: true } }, null, 2))
    const bar = page.getByRole('region', { name: '1 change, not saved' })
    await bar.getByText('"pro"').waitFor()

    // What is typed outlives a look at another page.
    await page.getByRole('link', { name: 'Users', exact: true }).first().click()
    await page.goBack()
    await bar.getByText('"pro"').waitFor()
    await bar.getByRole('button', { name: 'Save' }).click()
    await notified(page, 'The changes were written')
    const { data } = await admin.auth.admin.getUserById(users.ada.id)
    assert.deepEqual([data.user.user_metadata.plan, data.user.user_metadata.theme, data.user.user_metadata.full_name], ['pro', { dark: true }, 'Ada Lovelace'])
    assert.deepEqual(complaints, [])
  })

  test('a change upon an old version is refused, and can be made upon the new one', async () => {
    await open1(users.alan)
    await page.getByLabel('Phone number').fill('+41446681800')
    await admin.auth.admin.updateUserById(users.alan.id, { user_metadata: { plan: 'team' } })
    complaints.length = 0
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('This user was changed meanwhile').waitFor()
    assert.ok(complaints.every((line) => line.includes('status 409')), complaints.join('\n'))
    complaints.length = 0
    await page.getByRole('button', { name: 'Load the present state' }).click()
    await page.getByText('This user was changed meanwhile').waitFor({ state: 'detached' })
    assert.equal(await page.getByLabel('Phone number').inputValue(), '+41446681800', 'what was typed stays')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await notified(page, 'The changes were written')
    const { data } = await admin.auth.admin.getUserById(users.alan.id)
    assert.deepEqual([data.user.phone, data.user.user_metadata.plan], ['41446681800', 'team'])
  })

  test('wrong passwords are in the sentence, and in the timeline', async () => {
    for (let i = 0; i < 3; i++) assert.ok((await signInAs(users.barbara, 'wrong')).error)
    await open1(users.barbara)
    await page.getByText(/Confirmed, not banned\. Last refused .*: wrong password, 3rd time in 24 h from 127\.0\.0\.1\. Never signed in\./).waitFor()
    const timeline = page.getByRole('list', { name: 'What happened, the newest first' })
    await timeline.getByText('Refused: wrong password').first().waitFor()
    await page.getByLabel('Show', { exact: true }).selectOption('What was done')
    await page.waitForURL(/show=audit/)
    await timeline.getByText('Refused: wrong password').first().waitFor({ state: 'detached' })
    assert.deepEqual(complaints, [])
  })

  test('who is banned cannot sign in, and the page says so; the ban is lifted', async () => {
    assert.equal((await signInAs(users.grace)).error, null)
    await open1(users.grace)
    await act('Ban')
    await page.getByRole('dialog').getByLabel('For how long').selectOption('1 week')
    await page.getByRole('dialog').getByRole('button', { name: 'Ban' }).click()
    await notified(page, 'The user is banned')
    await page.getByText(/^Banned until /).waitFor()
    assert.equal((await signInAs(users.grace)).error?.code, 'user_banned')
    await page.reload()
    await page.getByText(/Last refused .*: the user is banned/).waitFor()
    await page.getByRole('list', { name: 'What happened, the newest first' }).getByText('Refused: the user is banned').waitFor()
    await act('Lift the ban')
    await page.getByRole('dialog').getByRole('button', { name: 'Lift the ban' }).click()
    await notified(page, 'The ban was lifted')
    assert.equal((await signInAs(users.grace)).error, null)
    assert.deepEqual(complaints, [])
  })

  test('sign out everywhere ends the sessions of the SDK', async () => {
    const client = app(project)
    const { data } = await client.auth.signInWithPassword({ email: users.ada.email, password })
    await open1(users.ada)
    await page.getByRole('list', { name: 'Sessions of the user' }).getByText('Node.js').first().waitFor()
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await notified(page, 'All sessions were ended')
    await page.getByText('No session: the user is signed in nowhere.').waitFor()
    const refreshed = await client.auth.refreshSession({ refresh_token: data.session.refresh_token })
    assert.ok(refreshed.error, 'the refresh token is of no use')
    assert.ok((await client.auth.getUser(data.session.access_token)).error, 'nor is the access token')
    assert.deepEqual(complaints, [])
  })

  test('a link that signs in is shown once, and works', async () => {
    await open1(users.tony)
    await act('Make a sign-in link')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Make link' }).click()
    const field = dialog.getByRole('group', { name: 'Link' })
    await field.getByRole('button', { name: 'Reveal' }).click()
    const link = await field.innerText()
    assert.match(link, /^http.*\/auth\/v1\/verify\?/)
    const token = new URL(link.trim()).searchParams.get('token')
    const { data } = await app(project).auth.verifyOtp({ token_hash: token, type: 'magiclink' })
    assert.equal(data.user?.id, users.tony.id)
    await dialog.getByRole('button', { name: 'Done' }).click()
    assert.ok(!(await page.content()).includes(token))
    assert.deepEqual(complaints, [])
  })

  test('a user is created, and one is invited and their mail is read', async () => {
    await page.goto(at())
    await page.getByRole('button', { name: 'Create user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('E-mail address').fill('edsger@example.com')
    await dialog.getByLabel('Password', { exact: true }).fill(password)
    await dialog.getByLabel('User metadata (JSON)').fill('{"full_name": "Edsger Dijkstra"')
    await dialog.getByText(/^Not valid JSON/).waitFor()
    await dialog.getByLabel('User metadata (JSON)').fill('{"full_name": "Edsger Dijkstra"}')
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await notified(page, 'The user was created')
    await page.getByRole('row').filter({ hasText: 'Edsger Dijkstra' }).waitFor()
    assert.equal((await signInAs({ email: 'edsger@example.com' })).error, null)

    await page.getByRole('button', { name: 'Invite' }).click()
    await dialog.getByLabel('E-mail address').fill('frances@example.com')
    await dialog.getByRole('button', { name: 'Send invitation' }).click()
    await notified(page, 'An invitation to frances@example.com is on its way')
    await page.getByRole('row').filter({ hasText: 'frances@example.com' }).filter({ hasText: 'Invited' }).click()
    await page.getByText('Invited, and has not opened the link yet.').waitFor()
    await page.getByRole('button', { name: 'Show the mail' }).click()
    const frame = page.getByRole('dialog').locator('iframe')
    assert.equal(await frame.getAttribute('sandbox'), '')
    await page.frameLocator('iframe').getByText(/invited/i).first().waitFor()
    assert.deepEqual(complaints, [])
  })

  test('many users are deleted at once, after what goes was typed', async () => {
    for (let i = 0; i < 12; i++) await admin.auth.admin.createUser({ email: `bulk${i}@example.com`, password, email_confirm: true })
    await page.goto(at('?q=bulk'))
    await page.getByText('Showing 12 of 12').waitFor()
    await page.getByRole('checkbox', { name: 'Select all rows shown' }).click()
    await page.getByRole('region', { name: '12 selected' }).getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    const go = dialog.getByRole('button', { name: 'Delete' })
    assert.ok(await go.isDisabled())
    await dialog.getByLabel('Type “delete 12” to confirm').fill('delete 12')
    await go.click()
    await notified(page, '12 done')
    await page.getByText('No user matches').waitFor()
    assert.deepEqual((await manage('GET', `/v1/projects/${project.ref}/auth/users?q=bulk`)).users, [])
    assert.deepEqual(complaints, [])
  })

  test('what the database keeps is told row by row', async () => {
    await manage('POST', `/v1/projects/${project.ref}/database/query`, {
      query: `create table invoices (user_id uuid references auth.users); insert into invoices values ('${users.long.id}')`,
    })
    await page.goto(at())
    await page.getByRole('row').filter({ hasText: 'Wolfeschlegel' }).getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(/^Type “long@example.com”/).fill('long@example.com')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByText('What became of each user').waitFor()
    await dialog.getByText('Failed', { exact: true }).waitFor()
    await dialog.getByText(/invoices|refer/).first().waitFor()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    assert.deepEqual(complaints, [])
  })

  test('the export has the users of the search', async () => {
    await page.goto(at('?q=hoare'))
    await page.getByText('Showing 1 of 1').waitFor()
    await page.getByRole('button', { name: 'Export' }).click()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()])
    const chunks = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk)
    const lines = Buffer.concat(chunks).toString().trim().split('\n')
    assert.equal(lines.length, 2)
    assert.match(lines[1], new RegExp(`^${users.tony.id},tony@example\\.com,`))
    assert.deepEqual(complaints, [])
  })

  test('who may only read sees users, and nothing that changes them', async () => {
    // The pages of somebody whose requests have the permissions of a token that reads.
    assert.equal((await signInAs(users.tony)).error, null)
    const name = `reader ${project.ref}`
    const permissions = ['organization:read', 'project:read', 'user:read', 'logs:read', 'auth_config:read', 'api_key:read']
    const token = await page.evaluate(async (body) => (await (await fetch('/v1/organizations/default/service-tokens', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).json()).token, JSON.stringify({ name, expires_in: 600, permissions }))
    assert.match(token, /^sbp_/)
    const reader = await open(browser, { expected: [/\/v1\/organizations$/] })
    await reader.context.addCookies(await page.context().cookies())
    await reader.page.route('**/v1/**', (route) => route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${token}` } }))
    await reader.page.goto(at())
    await reader.page.getByRole('row').filter({ hasText: 'Tony Hoare' }).waitFor()
    for (const button of ['Create user', 'Invite']) assert.equal(await reader.page.getByRole('button', { name: button }).count(), 0, button)
    assert.equal(await reader.page.getByRole('checkbox').count(), 0)
    await reader.page.getByRole('row').filter({ hasText: 'Tony Hoare' }).getByRole('button', { name: 'More actions' }).click()
    assert.deepEqual(await reader.page.getByRole('menuitem').allInnerTexts(), ['Open', 'Copy id', 'Copy e-mail address'])
    await reader.page.goto(at(`/${users.tony.id}`))
    await reader.page.getByText(/^Confirmed, not banned/).waitFor()
    await reader.page.getByRole('list', { name: 'Sessions of the user' }).waitFor()
    for (const button of ['Actions', 'End session', 'Sign out everywhere', 'Unlink']) assert.equal(await reader.page.getByRole('button', { name: button }).count(), 0, button)
    assert.ok(!(await reader.page.getByLabel('E-mail address', { exact: true }).isEditable()))
    assert.deepEqual(reader.complaints, [])
    assert.equal((await fetch(`${url}/v1/projects/${project.ref}/auth/users/${users.tony.id}/ban`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: '{"duration":"1h"}' })).status, 403)
    await reader.context.close()
  })

  for (const theme of ['light', 'dark']) {
    test(`pages are accessible and fit, with names of 200 characters and from right to left: ${theme}`, async () => {
      const view = await open(browser, { theme, width: theme === 'dark' ? 390 : 1280 })
      await view.context.addCookies(await page.context().cookies())
      for (const [path, heading] of [['', 'Users'], [`/${users.long.id}`, long.trim()], [`/${users.rtl.id}`, rtl]]) {
        await view.page.goto(at(path))
        await view.page.getByRole('heading', { level: 1, name: heading }).waitFor()
        await view.page.waitForLoadState('networkidle')
        assert.deepEqual(view.complaints, [], path)
        assert.deepEqual(await accessibility(view.page), [], path)
        view.complaints.length = 0 // axe comes as a script, which the policy names
        assert.ok((await view.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${path} scrolls sideways`)
      }
      await view.context.close()
    })
  }
})
