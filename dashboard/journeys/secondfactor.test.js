// A second factor of one's own: an organization requires it, the dashboard leads there
// and back, the sign-in asks for it, and a recovery code stands in.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { call, join } from './people.js'
import { password } from './world.js'

/** The code of an authenticator app now, or some periods from now (RFC 6238). */
function codeOf(secret, ahead = 0) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead))
  const mac = createHmac('sha1', key).update(counter).digest()
  return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Adds an authenticator app on the account page, and returns its secret. */
async function addApp(page) {
  await page.getByRole('button', { name: 'Add authenticator app' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add an authenticator app' })
  const secret = (await dialog.getByText(/^[A-Z2-7]{32}$/).first().textContent()).trim()
  assert.ok(await dialog.getByAltText('Image for the authenticator app').evaluate((i) => i.complete && i.naturalWidth > 0))
  assert.deepEqual(await accessibility(page), [])
  await dialog.getByLabel('Code').fill(codeOf(secret))
  await dialog.getByRole('button', { name: 'Turn on' }).click()
  await notified(page, 'Your second factor is on')
  return secret
}

describe('a second factor', () => {
  let browser, owner, guest, org, secret, codes
  before(async () => {
    browser = await launch()
    const operator = await open(browser)
    await signIn(operator.page)
    const outer = await call(operator.page, 'POST', '/v1/organizations', { name: 'Outer' })
    owner = await join(browser, operator.page, outer.slug, 'developer')
    org = await call(owner.page, 'POST', '/v1/organizations', { name: 'Vault' })
    guest = await join(browser, { evaluate: (fn, args) => (args[1].includes('inbox') ? operator.page : owner.page).evaluate(fn, args) }, org.slug, 'read_only')
  })
  after(() => browser?.close())

  test('who requires it has one, and the list of members says who else does', async () => {
    const { page } = owner
    await page.goto(`${url}/orgs/${org.slug}/settings`)
    await page.getByLabel('Require a second factor').click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(/This needs a second factor of your own/).waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.goto(`${url}/account`)
    await addApp(page)
    await page.goto(`${url}/orgs/${org.slug}/settings`)
    await page.getByLabel('Require a second factor').click()
    await page.getByRole('button', { name: 'Save' }).click()
    await notified(page, 'The settings were saved')
    assert.deepEqual(await accessibility(page), [])
    await page.goto(`${url}/orgs/${org.slug}/members`)
    const row = (text) => page.getByRole('row').filter({ hasText: text })
    await row(owner.email).getByText('On', { exact: true }).waitFor()
    await row(guest.email).getByText('Off', { exact: true }).waitFor()
  })

  test('a member without one is led to the account, and back', async () => {
    const { page } = guest
    await page.goto(`${url}/orgs/${org.slug}/members`)
    await page.getByRole('heading', { name: 'A second factor is required' }).first().waitFor()
    assert.deepEqual(await accessibility(page), [])
    await page.getByRole('link', { name: 'Add a second factor' }).first().click()
    await page.waitForURL(/\/account/)
    secret = await addApp(page)
    await page.waitForURL(`${url}/orgs/${org.slug}/members`)
    await page.getByRole('row').filter({ hasText: guest.email }).getByText('On', { exact: true }).waitFor()
    await page.goto(`${url}/account`)
    await page.getByRole('button', { name: 'Make codes' }).click()
    const dialog = page.getByRole('dialog', { name: 'Recovery codes' })
    codes = (await dialog.locator('pre').textContent()).match(/[a-z0-9-]{16,}/g)
    assert.equal(codes.length, 10)
    await dialog.getByRole('button', { name: 'I kept them' }).click()
    await page.getByText('10 of 10 left').waitFor()
    assert.deepEqual(await accessibility(page), [])
  })

  test('the sign-in asks for it: a wrong code is refused, and a recovery code stands in', async () => {
    const { page, context } = await open(browser)
    await page.goto(`${url}/sign-in?next=/orgs/${org.slug}/members`)
    await page.getByLabel('E-mail address').fill(guest.email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByLabel('Code').fill('000000')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('The code is not right, or was used before').waitFor()
    assert.deepEqual(await accessibility(page), [])
    await page.getByRole('button', { name: 'Use a recovery code' }).click()
    await page.getByLabel('Recovery code').fill(codes[0])
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(`${url}/orgs/${org.slug}/members`)
    await page.goto(`${url}/account`)
    await page.getByText('9 of 10 left').waitFor()
    await context.close()
    const again = await open(browser)
    await again.page.goto(`${url}/sign-in`)
    await again.page.getByLabel('E-mail address').fill(guest.email)
    await again.page.getByLabel('Password').fill(password)
    await again.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await again.page.getByLabel('Code').fill(codeOf(secret, 1)) // the one of now is used
    await again.page.getByRole('button', { name: 'Continue' }).click()
    await again.page.waitForURL(/\/orgs\//)
    await again.context.close()
  })

  test('a passkey of the device signs in', async () => {
    const { page } = owner
    const device = await page.context().newCDPSession(page)
    await device.send('WebAuthn.enable')
    await device.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } })
    await page.goto(`${url}/account`)
    await page.getByRole('button', { name: 'Add passkey' }).click()
    await notified(page, 'The passkey was added')
    await page.getByRole('list', { name: 'Your passkeys' }).getByRole('listitem').waitFor()
    assert.deepEqual(await accessibility(page), [])
    await page.evaluate(() => fetch('/dashboard/session', { method: 'DELETE' }))
    await page.goto(`${url}/sign-in`)
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
    await page.getByRole('heading', { name: 'Second factor' }).waitFor() // which she has as well
  })
})
