// The example app in a browser: every way in, refresh, sign-out.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { Browser } from '../lib/chromium.js'
import { connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { client, OpenIDProvider } from '../lib/openid.js'
import { configure, createProject, deleteProject } from '../lib/reeve.js'

let project, origin, child, openid, browser, db, inbox
before(async () => {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  origin = `http://127.0.0.1:${port}`
  project = await createProject('ssr', { site_url: origin, uri_allow_list: `${origin}/**` })
  inbox = new Inbox(project)
  db = new pg.Client({ connectionString: project.db_url })
  await db.connect()
  await db.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
  openid = await OpenIDProvider.open({ callbacks: [`${project.url}/auth/v1/callback`] })
  ok(await connectAdmin(project).auth.admin.customProviders.createProvider({
    provider_type: 'oidc', identifier: 'custom:acme', name: 'Acme', issuer: openid.issuer,
    client_id: client.id, client_secret: client.secret, scopes: ['email', 'profile'],
  }))
  child = spawn(process.execPath, [fileURLToPath(new URL('build/index.js', import.meta.url))], {
    env: {
      HOST: '127.0.0.1', PORT: port, ORIGIN: origin, PROJECT_REF: project.ref, PROJECT_URL: project.url,
      PUBLISHABLE_KEY: project.publishable_key, DATABASE_URL: project.db_url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.stdout.resume()
  browser = await Browser.open()
})
after(async () => {
  await browser?.close()
  if (child?.kill()) await once(child, 'exit')
  await openid?.stop()
  await db?.end()
  if (project) await deleteProject(project)
})

/** A page of somebody who has no session yet. */
async function stranger() {
  const page = await (await browser.another()).visit(`${origin}/account`)
  await page.find('#mail')
  return page
}

/** Asserts that the protected page shows the user, and the user's row. */
async function signedIn(page, email, callbacks) {
  await page.find('#user')
  assert.equal(await page.url(), `${origin}/account`)
  assert.equal(await page.value('document.querySelector("#user").innerText'), email)
  const shown = JSON.parse(await page.value('document.querySelector("#profile").innerText'))
  assert.deepEqual(shown, { email, callbacks })
}

/** The app's session cookies, by name. */
async function sessionCookies(page) {
  const { cookies } = await page.send('Network.getCookies', { urls: [origin] })
  return cookies.filter(({ name }) => name.startsWith(`sb-${project.ref}-auth-token`) && !name.includes('code-verifier'))
}

/** Creates a confirmed user and signs in by password. */
async function byPassword(page) {
  const email = freshEmail('ssr')
  ok(await connectAdmin(project).auth.admin.createUser({ email, password, email_confirm: true }))
  await page.fill('#password [name=email]', email)
  await page.fill('#password [name=password]', password)
  await page.click('#password button')
  await signedIn(page, email, 0)
  return email
}

/** Asks for a mail, and waits for it. */
async function askForMail(page) {
  const email = freshEmail('ssr')
  await page.fill('#mail [name=email]', email)
  await page.click('#mail button')
  await page.find('#code')
  return { email, mail: await inbox.next(email) }
}

test('password: cookies that no script reads, and sign-out', async () => {
  const page = await stranger()
  const email = await byPassword(page)
  const cookies = await sessionCookies(page)
  assert.ok(cookies.length > 0)
  for (const cookie of cookies) assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax', JSON.stringify(cookie))
  assert.equal(await page.value('document.cookie'), '')
  await page.go(`${origin}/`)
  await signedIn(page, email, 0)

  await page.click('#out button')
  await page.find('#password')
  assert.deepEqual(await sessionCookies(page), [])
  await page.go(`${origin}/account`)
  await page.find('#password')
})

test('a wrong password is refused', async () => {
  const page = await stranger()
  await page.fill('#password [name=email]', freshEmail('ssr'))
  await page.fill('#password [name=password]', 'wrong horse 1')
  await page.click('#password button')
  await page.find('[role=alert]')
  assert.match(await page.text(), /Invalid login credentials/)
  assert.deepEqual(await sessionCookies(page), [])
})

test('magic link: the callback exchanges its code and writes the row that the trigger made', async () => {
  const page = await stranger()
  const { email, mail } = await askForMail(page)
  await page.go(verifyLink(mail))
  await page.click('form button')
  await signedIn(page, email, 1)
})

test('magic link opened in another browser: no session there', async () => {
  const { mail } = await askForMail(await stranger())
  const other = await stranger()
  await other.go(verifyLink(mail))
  await other.click('form button')
  await other.until(`location.origin === ${JSON.stringify(origin)} && document.querySelector("[role=alert]")`)
  assert.deepEqual(await sessionCookies(other), [])
})

test('typed code', async () => {
  const page = await stranger()
  const { email, mail } = await askForMail(page)
  await page.fill('#code [name=token]', mail.code)
  await page.click('#code button')
  await signedIn(page, email, 0)
})

test('a provider', async () => {
  const email = freshEmail('ssr')
  openid.people.set(email, { email, email_verified: true, name: 'Ada' })
  const page = await stranger()
  await page.click('#oauth button')
  await openid.login(page, email)
  await signedIn(page, email, 1)
})

test('cancelled at the provider', async () => {
  const page = await stranger()
  await page.click('#oauth button')
  await page.click('a[href$="/abort"]')
  await page.until(`location.origin === ${JSON.stringify(origin)} && document.querySelector("[role=alert]")`)
  assert.match(await page.text(), /aborted/)
})

test('an expired access token is refreshed, and the cookies change', async () => {
  await configure(project, { jwt_exp: 30 })
  const page = await stranger()
  const email = await byPassword(page)
  const before = await sessionCookies(page)
  // The SDK refreshes what expires within 90 seconds.
  await sleep(1100) // so that the new token differs in its second
  await page.go(`${origin}/account?again`)
  await page.until('location.search === "?again" && document.querySelector("#user")')
  assert.equal(await page.value('document.querySelector("#user").innerText'), email)
  const after = await sessionCookies(page)
  assert.notDeepEqual(after.map(({ value }) => value), before.map(({ value }) => value))
  const { rows } = await db.query('select count(*)::int from auth.sessions s join auth.users u on u.id = s.user_id where u.email = $1', [email])
  assert.deepEqual(rows, [{ count: 1 }], 'the same session')
})

test('a session that was ended elsewhere is gone at the next page', async () => {
  const page = await stranger()
  const email = await byPassword(page)
  await db.query('delete from auth.sessions using auth.users u where u.id = user_id and u.email = $1', [email])
  await page.go(`${origin}/account`)
  await page.find('#password')
})
