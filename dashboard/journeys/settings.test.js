// Sign-in settings: one way to save, what is refused and why, and what each test on
// the pages says; then the effect, as an app and its users see it.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

describe('settings', () => {
  let browser, project, tab
  const config = () => manage('GET', `/v1/projects/${project.ref}/config/auth`)
  const patch = (body) => manage('PATCH', `/v1/projects/${project.ref}/config/auth`, body)
  const go = (path) => tab.page.goto(`${url}/p/${project.ref}${path}`)
  /** Nothing on the page is to be complained about. */
  const sound = async () => {
    const complaints = [...tab.complaints]
    const axe = await accessibility(tab.page)
    tab.complaints.length = 0 // the way in of axe is one
    assert.deepEqual({ complaints, axe }, { complaints: [], axe: [] })
  }
  const save = async () => {
    await tab.page.getByRole('button', { name: 'Save', exact: true }).click()
    await tab.page.getByText(/^Saved as version \d+\.$/).first().waitFor()
  }

  before(async () => {
    project = await createProject('Settings journey')
    browser = await launch()
    // A dry run of a wrong value is refused, and so is a stale save: 400 and 409 are what is tested.
    tab = await open(browser, { expected: [/config\/auth(\?.*)?$/] })
    await signIn(tab.page)
  })
  after(async () => {
    await browser?.close()
    if (project) await deleteProject(project)
  })

  test('every page of settings is sound', async (t) => {
    const pages = ['/auth/providers', '/auth/providers/google', '/auth/email', '/auth/phone', '/auth/sign-up', '/auth/passwords', '/auth/sessions', '/auth/urls', '/auth/limits', '/auth/captcha', '/auth/templates', '/auth/templates/recovery', '/auth/smtp', '/auth/api_keys', '/auth/mfa', '/settings', '/settings/history']
    for (const path of pages) {
      await t.test(path, async () => {
        await go(path)
        await tab.page.locator('h1').waitFor()
        await tab.page.waitForLoadState('networkidle')
        await sound()
      })
    }
  })

  test('a change shows its diff, is saved with a reason, stands in the history, and is rolled back', async () => {
    const { page } = tab
    await go('/auth/sessions')
    const field = page.getByLabel('Access tokens are valid for')
    await field.fill('15x')
    await page.getByText('Write it like 15m, 2h or 30d.').waitFor()
    await field.fill('15m')
    const bar = page.getByRole('region', { name: '1 change, not saved' })
    assert.match(await bar.innerText(), /− 1h\s+.*\+ 15m/s)
    // What is not saved outlives a visit to another page.
    await page.getByRole('link', { name: 'Passwords', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Passwords' }).waitFor()
    await bar.getByLabel('Why, for the history').fill('shorter sessions')
    await save()
    assert.equal((await config()).jwt_exp, 900)
    await go('/settings/history')
    const row = page.getByRole('row', { name: /shorter sessions/ })
    await row.getByText('Access tokens are valid for').waitFor()
    assert.match(await row.innerText(), /In force/)
    const version = Number(/\d+/.exec(await row.innerText())[0])
    await page.getByRole('cell', { name: '1', exact: true }).click()
    await page.getByRole('button', { name: 'Roll back to this version' }).click()
    const dialog = page.getByRole('dialog', { name: 'Roll back to version 1' })
    await dialog.getByText('Access tokens are valid for').waitFor()
    await dialog.getByRole('button', { name: 'Roll back to this version' }).click()
    await page.getByText(`Rolled back: version ${version + 1} is in force.`).first().waitFor()
    assert.equal((await config()).jwt_exp, 3600)
    await sound()
  })

  test('who must use a second factor is chosen by what it means; roles are asked for where they count', async () => {
    const { page } = tab
    await go('/auth/mfa')
    await page.getByRole('radio', { name: /^Users with certain roles/ }).check()
    await page.getByText(/is required with mfa_policy by_role/).first().waitFor()
    await page.getByLabel('Roles', { exact: true }).fill('billing manager')
    await page.getByLabel('Roles', { exact: true }).press('Enter')
    await page.getByLabel('Time to enroll a factor').fill('14d')
    const bar = page.getByRole('region', { name: '3 changes, not saved' })
    assert.match(await bar.innerText(), /− Nobody\s+.*\+ Users with certain roles/s)
    await save()
    const { mfa_policy, mfa_policy_roles, mfa_policy_grace_period } = await config()
    assert.deepEqual([mfa_policy, mfa_policy_roles, mfa_policy_grace_period], ['by_role', 'billing manager', 14])
    await page.getByText(/^Users who signed up before have until .* to enroll a factor\.$/).waitFor()
    await sound()
    await patch({ mfa_policy: 'off', mfa_policy_roles: '' })
  })

  test('a refusal stands at its field, and a warning before the loss', async () => {
    const { page } = tab
    const { error } = await app(project).auth.signUp({ email: 'only.way@example.com', password })
    assert.equal(error, null)
    await go('/auth/email')
    await page.getByRole('switch', { name: 'Sign-in by email' }).click()
    await page.getByText('This disables the only way in of 1 user.').waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await go('/auth/providers/github')
    await page.getByRole('switch', { name: 'Sign-in on' }).click()
    const id = page.getByLabel('Client ID', { exact: true })
    await page.locator(`[aria-invalid="true"]`).waitFor()
    assert.equal(await id.getAttribute('aria-invalid'), 'true')
    assert.ok(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled())
    await page.getByRole('button', { name: 'Discard' }).click()
  })

  test('a provider: callback address, a secret that is never shown, what the test says, the grid', async () => {
    const { page } = tab
    await go('/auth/providers/github')
    await page.getByText(`${project.url}/auth/v1/callback`, { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Test', exact: true }).click()
    await page.getByText('Client ID is empty').waitFor()
    await page.getByLabel('Client ID', { exact: true }).fill('Iv1.journey')
    await page.getByLabel('Client secret', { exact: true }).fill('a secret of the journey')
    await page.getByRole('switch', { name: 'Sign-in on' }).click()
    await save()
    await page.getByText('Set', { exact: true }).waitFor()
    assert.ok(!(await page.content()).includes('a secret of the journey'))
    const { external_github_secret: fingerprint } = await config()
    await page.getByText(`${fingerprint.slice(0, 8)}…`).waitFor()
    await go('/auth/providers')
    assert.equal(await page.getByRole('switch', { name: 'Sign-in with GitHub' }).getAttribute('data-state'), 'checked')
    await sound()
  })

  test('a stale write shows what was saved meanwhile, and is applied to it', async () => {
    const { page } = tab
    await go('/auth/passwords')
    await page.getByLabel('Least length').fill('12')
    await page.getByRole('region', { name: '1 change, not saved' }).waitFor()
    await patch({ mailer_otp_length: 8 })
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    const notice = page.getByRole('alert').filter({ hasText: 'was saved meanwhile' })
    await notice.getByText('Digits of a code').waitFor()
    assert.equal((await config()).password_min_length, 6, 'the stale change is not saved')
    await page.getByRole('button', { name: 'Apply my changes to it' }).click()
    await save()
    const now = await config()
    assert.deepEqual([now.password_min_length, now.mailer_otp_length], [12, 8])
  })

  test('the redirect tester knows what is not saved yet', async () => {
    const { page } = tab
    await go('/auth/urls')
    const tried = async () => {
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.waitForLoadState('networkidle')
    }
    await page.getByLabel('Address to try').fill('https://a.example.com/welcome')
    await tried()
    await page.getByText('People are not sent there.').waitFor()
    await page.getByLabel('A further address').fill('https://*.example.com/**')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await tried()
    await page.getByText('People may be sent there.').waitFor()
    await page.getByText('Entry 1: https://*.example.com/** allows it.').waitFor()
    assert.match(page.url(), /try=/)
    await sound()
    await page.getByRole('button', { name: 'Discard' }).click()
  })

  test('a template: its error with the line, the preview, and the mail that a user receives', async () => {
    const { page } = tab
    await go('/auth/templates/confirmation')
    await page.getByRole('textbox', { name: 'HTML' }).waitFor()
    await page.getByLabel('Subject').fill('Welcome to {{ .ProjectName }}')
    const editor = page.getByRole('textbox', { name: 'HTML' })
    await editor.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.insertText('<p>Hello</p>\n<p>{{ .Nothing }}</p>')
    await page.getByText('HTML, line 2').first().waitFor()
    await editor.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.insertText('<p>Your journey begins: <a href="{{ .ConfirmationURL }}">confirm</a></p>')
    await page.frameLocator('iframe').getByText('Your journey begins').waitFor()
    await page.getByRole('button', { name: 'Dark' }).click()
    await page.getByRole('button', { name: 'Narrow' }).click()
    assert.match(page.url(), /theme=dark/)
    await save()
    await page.getByRole('button', { name: 'Send it to me' }).click()
    await page.getByText(/^Sent to /).waitFor()
    await sound()

    // Another process may take a second to read the settings; the mail says which it had.
    let mail
    for (let i = 0; i < 20 && !mail?.subject?.startsWith('Welcome'); i++) {
      const email = `reader${i}.${project.ref.slice(0, 6)}@example.com`
      const { error } = await app(project).auth.signUp({ email, password })
      assert.equal(error, null)
      for (let k = 0; k < 50 && !mail?.to?.includes(email); k++) {
        const inbox = await manage('GET', `/v1/projects/${project.ref}/inbox`)
        mail = (inbox.messages ?? inbox).find((m) => m.to === email)
        if (!mail) await new Promise((done) => setTimeout(done, 100))
      }
    }
    assert.equal(mail.subject, 'Welcome to Settings journey')
    const whole = mail.html ? mail : await manage('GET', `/v1/projects/${project.ref}/inbox/${mail.id}`)
    assert.match(whole.html, /Your journey begins/)
  })

  test('a project is renamed, and deleted by its name', async () => {
    const { page } = tab
    const other = await manage('POST', '/v1/projects', { name: 'To be deleted', organization_slug: 'default' })
    await page.goto(`${url}/p/${other.ref}/settings`)
    await page.getByLabel('Name').fill('Renamed')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('The project has a new name.').first().waitFor()
    await page.getByRole('button', { name: 'Delete project' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete project' })
    const button = dialog.getByRole('button', { name: 'Delete project' })
    assert.ok(await button.isDisabled())
    await dialog.getByRole('textbox').fill('Renamed')
    await button.click()
    await page.waitForURL(/\/orgs\/default/)
    await assert.rejects(manage('GET', `/v1/projects/${other.ref}`), /404/)
  })
})
