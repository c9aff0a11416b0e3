// Ways in: a password, a mailed link, a new password; a session that ends under a form;
// an invitation.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createClient } from '@supabase/supabase-js'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { call as callAs, mailedLink } from './people.js'
import { password } from './world.js'

describe('ways in', () => {
  let browser, config, operator
  const email = `grace.${Date.now()}@example.com`
  const other = 'another long passphrase'
  const platform = () => createClient(config.auth.url, config.auth.publishable_key, { auth: { persistSession: false, autoRefreshToken: false } }).auth

  const call = (...args) => callAs(operator.page, ...args)
  const link = (to, seen) => mailedLink(operator.page, to, seen)

  async function enter(page, secret, address = email) {
    await page.getByLabel('E-mail address').fill(address)
    await page.getByLabel('Password').fill(secret)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  before(async () => {
    browser = await launch()
    config = await fetch(`${url}/dashboard/config`).then((r) => r.json())
    operator = await open(browser)
    await signIn(operator.page)
  })
  after(() => browser?.close())

  test('an account is made and confirmed, and the mailed link signs in', async () => {
    const { page, complaints, context } = await open(browser, { expected: [/\/dashboard\/session/] })
    await page.goto(`${url}/sign-in`)
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByText(`A mail is on its way to ${email}`).waitFor()
    const { href } = await link(email)
    await page.goto(href)
    await page.getByRole('button').first().click()
    await page.getByText(`The link signs you in as ${email}`).waitFor()
    assert.equal(new URL(page.url()).hash, '', 'no token stays in the address')
    assert.deepEqual(await accessibility(page), [])
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { name: 'New organization' }).waitFor()
    await page.getByLabel('Name').fill('Grace & Co')
    await page.getByRole('button', { name: 'Create organization' }).click()
    await page.getByText('No projects yet').waitFor()
    assert.deepEqual(complaints, [])
    await context.close()
  })

  test('a password signs in where one was going; a wrong one is refused in the same words as an unknown address', async () => {
    const { page, complaints, context } = await open(browser, { expected: [/\/token\?grant_type=password/] })
    await page.goto(`${url}/account`)
    await page.waitForURL(/\/sign-in\?next=/)
    const refusals = []
    for (const address of [email, `nobody.${Date.now()}@example.com`]) {
      await enter(page, 'wrong', address)
      await page.getByRole('alert').waitFor()
      refusals.push(await page.getByRole('alert').innerText())
      assert.equal(await page.getByLabel('E-mail address').inputValue(), address)
      await page.reload()
    }
    assert.deepEqual(refusals, Array(2).fill('The address or the password is wrong'))
    await enter(page, password)
    await page.waitForURL(`${url}/account`)
    await page.getByRole('button', { name: email }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.waitForURL(/\/sign-in/)
    await page.goto(`${url}/account`)
    await page.waitForURL(/\/sign-in\?next=/)
    assert.deepEqual(complaints, [])
    await context.close()
  })

  test('next leads to no other host', async () => {
    for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
      const { page, context } = await open(browser)
      await page.goto(`${url}/sign-in?next=${encodeURIComponent(next)}`)
      await enter(page, password)
      await page.waitForURL((u) => u.origin === url && /^\/(orgs\/|new$)/.test(u.pathname)).catch(async (error) => {
        throw new Error(`${next} led to ${page.url()}: ${await page.locator('body').innerText()}`, { cause: error })
      })
      await context.close()
    }
  })

  test('a forgotten password is replaced by the mailed link', async () => {
    const { count } = await link(email)
    const { page, complaints, context } = await open(browser)
    await page.goto(`${url}/sign-in`)
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('E-mail address').fill(email)
    await page.getByRole('button', { name: 'Send the mail' }).click()
    await page.getByText(`If ${email} has an account`).waitFor()
    const { href } = await link(email, count)
    await page.goto(href)
    await page.getByRole('button').first().click()
    await page.getByText(`For ${email}`).waitFor()
    assert.equal(new URL(page.url()).hash, '')
    await page.getByLabel('New password').fill('x')
    await page.getByRole('button', { name: 'Save password' }).click()
    await page.locator('[id$="-error"]').waitFor()
    await page.getByLabel('New password').fill(other)
    await page.getByRole('button', { name: 'Save password' }).click()
    await page.waitForURL(/\/orgs\//)
    assert.ok((await platform().signInWithPassword({ email, password: other })).data.session)
    assert.equal((await platform().signInWithPassword({ email, password })).error.code, 'invalid_credentials')
    assert.deepEqual(complaints, [])
    await context.close()
  })

  test('a session that ends under a form loses nothing that was typed', async () => {
    const { page, context } = await open(browser)
    await page.goto(`${url}/sign-in?next=/new`)
    await enter(page, other)
    await page.waitForURL(`${url}/new`)
    await page.getByLabel('Name').fill('Typed before')
    await context.clearCookies()
    await page.getByRole('button', { name: 'Create organization' }).click()
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
    await dialog.getByLabel('Password').fill(other)
    assert.equal(await dialog.getByLabel('E-mail address').inputValue(), email)
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
    assert.equal(await page.getByLabel('Name').inputValue(), 'Typed before')
    await page.getByRole('button', { name: 'Create organization' }).click()
    await page.waitForURL(/\/orgs\/[a-z]{20}$/)
    await context.close()
  })

  async function invite(to, name) {
    const { slug } = await call('POST', '/v1/organizations', { name })
    await call('POST', `/v1/organizations/${slug}/invitations`, { email: to, role: 'developer' })
    return slug
  }

  test('an invited person signs in and joins by the mailed link', async () => {
    const { count } = await link(email)
    const slug = await invite(email, 'Inviting')
    const { href } = await link(email, count)
    const { page, complaints, context } = await open(browser)
    await page.goto(href)
    await page.getByRole('heading', { name: 'Join Inviting' }).waitFor()
    assert.match(await page.locator('main').innerText(), /operator@reeve\.localhost invites you to Inviting, as developer/)
    await page.getByRole('button', { name: 'I have an account' }).click()
    await enter(page, other)
    await page.getByRole('button', { name: 'Accept the invitation' }).waitFor()
    assert.deepEqual(await accessibility(page), [])
    await page.getByRole('button', { name: 'Accept the invitation' }).click()
    await page.waitForURL(new RegExp(`/orgs/${slug}`))
    await page.getByRole('heading', { name: 'Projects', exact: true }).waitFor()
    assert.deepEqual(complaints, [])
    await context.close()
  })

  test('an invited person without an account makes one, creates a project, signs a user up and ends their sessions', async () => {
    const guest = `linus.${Date.now()}@example.com`
    const guests = await invite(guest, 'Guests')
    const { href } = await link(guest)
    const { page, complaints, context } = await open(browser)
    await page.goto(href)
    await page.getByLabel('Your name').fill('Linus')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Make an account and join' }).click()
    await page.waitForURL(`${url}/orgs/${guests}`)
    await page.goto(`${url}/new`) // a developer creates no projects: an organization of their own
    await page.getByLabel('Name').fill('Linus & Co')
    await page.getByRole('button', { name: 'Create organization' }).click()
    await page.getByRole('button', { name: 'Create project' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Notes')
    await page.getByRole('dialog').getByRole('button', { name: 'Create project' }).click()
    await page.getByRole('heading', { name: 'Notes is ready' }).waitFor()
    const address = await page.getByLabel('E-mail address').inputValue()
    await page.getByRole('button', { name: 'Sign up', exact: true }).click()
    const confirm = page.getByRole('link', { name: 'Open its link' })
    await confirm.waitFor()
    const [landing] = await Promise.all([context.waitForEvent('page'), confirm.click()])
    await landing.getByRole('button').click()
    await landing.waitForURL(/\/landing\//)
    await landing.close()
    await page.getByRole('link', { name: 'Open the user' }).click()
    await page.getByRole('heading', { name: address }).waitFor()
    await page.locator('#sessions').getByRole('button', { name: /everywhere|all/i }).click()
    await page.getByRole('dialog').getByRole('button', { name: /everywhere|all|Sign out/i }).last().click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.equal(await page.locator('#sessions').getByRole('button', { name: /^End session/ }).count(), 0)
    assert.deepEqual(complaints, [])
    await context.close()
  })

  test('a used invitation says so', async () => {
    const { page, context } = await open(browser, { expected: [/\/dashboard\/invitation/] })
    await page.goto(`${url}/invite?token=none`)
    await page.getByText('This invitation was used, withdrawn or has expired').waitFor()
    await context.close()
  })
})
