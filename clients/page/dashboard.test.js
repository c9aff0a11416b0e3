// Sign-in to the dashboard at a real OpenID provider, which the platform project has
// defined.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { Browser } from '../lib/chromium.js'
import { freshEmail } from '../lib/expect.js'
import { client, OpenIDProvider } from '../lib/openid.js'

const base = process.env.REEVE_URL.replace('127.0.0.1', 'localhost')
const provider = 'custom:staff'

let openid, browser, database
before(async () => {
  const { auth } = await fetch(`${base}/dashboard/config`).then((r) => r.json())
  openid = await OpenIDProvider.open({ callbacks: [`${auth.url}/auth/v1/callback`] })
  // The platform project has no owner, and no secret key that anybody knows.
  const admin = new pg.Client({ connectionString: process.env.REEVE_POSTGRES_URL })
  await admin.connect()
  const ref = new URL(auth.url).pathname.split('/').at(-1)
  const { rows } = await admin.query('SELECT datname FROM pg_database WHERE datname LIKE $1', [`%${ref}%`])
  await admin.end()
  const address = new URL(process.env.REEVE_POSTGRES_URL)
  address.pathname = `/${rows[0].datname}`
  database = new pg.Client({ connectionString: address.href })
  await database.connect()
  await database.query(
    `INSERT INTO auth.custom_oauth_providers (id, provider_type, identifier, name, client_id, client_secret, scopes, pkce_enabled, enabled, issuer, created_at, updated_at)
     VALUES (gen_random_uuid(), 'oidc', $1, 'Staff', $2, $3, '{email,profile}', true, true, $4, now(), now())`,
    [provider, client.id, client.secret, openid.issuer],
  )
  browser = await Browser.open()
})
after(async () => {
  await browser?.close()
  await database?.query('DELETE FROM auth.custom_oauth_providers WHERE identifier = $1', [provider])
  await database?.end()
  await openid?.stop()
})

/** Opens the sign-in page, which shows the provider within some seconds: below the form's first look. */
async function signInPage(somebody, next) {
  for (let tries = 1; ; tries++) {
    const page = await somebody.visit(`${base}/sign-in${next ? `?next=${encodeURIComponent(next)}` : ''}`)
    await page.until('document.querySelector("form") !== null')
    for (let looks = 0; looks < 20; looks++) {
      if (await page.value('document.body.innerText.includes("Continue with Staff")')) return page
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await page.close()
    assert.ok(tries < 10, 'the sign-in page does not offer the provider')
  }
}

const leave = async (page) => {
  await page.value('[...document.querySelectorAll("button")].find((b) => b.innerText.includes("Continue with Staff")).click()').catch(() => {}) // the page is left
  await page.until(`location.origin !== ${JSON.stringify(base)} && document.readyState === "complete"`)
}

describe('the dashboard', () => {
  test('is entered by the provider, where one was going, and keeps no token', async () => {
    const email = freshEmail('staff')
    openid.people.set(email, { email, email_verified: true, name: 'Ada' })
    const page = await signInPage(browser, '/account')
    await leave(page)
    await openid.login(page, email)
    await page.until('location.pathname === "/account" && document.body.innerText.includes("Sessions")')
    assert.equal(await page.value('fetch("/dashboard/session").then((r) => r.json()).then((s) => s.user.email)'), email)
    assert.doesNotMatch(await page.value('JSON.stringify([sessionStorage, localStorage])'), /eyJ|verifier|refresh_token/, 'what scripts can read has a secret of the sign-in')
    assert.equal(await page.value('location.search'), '')
    await page.value('fetch("/dashboard/session", { method: "DELETE" }).then((r) => r.status)')
    await page.close()
  })

  test('takes no code of a sign-in that another tab began', async () => {
    const email = freshEmail('thief')
    openid.people.set(email, { email, email_verified: true, name: 'Eve' })
    const somebody = await browser.another()
    const thief = await signInPage(somebody)
    await leave(thief)
    // The cookies are the same, so that only the tab tells.
    const victim = await somebody.visit(await thief.url())
    await openid.login(victim, email)
    await victim.until('document.body.innerText.includes("begun in another tab")')
    assert.equal(await victim.value('fetch("/dashboard/session").then((r) => r.status)'), 401)
    assert.equal(await victim.value('location.search'), '')
    await victim.close()
    await thief.close()
  })

  test('says that the sign-in was cancelled', async () => {
    const page = await browser.visit(`${base}/sign-in?error=access_denied&error_code=access_denied&error_description=x`)
    await page.until('document.body.innerText.includes("was cancelled")')
    assert.equal(await page.value('location.search'), '')
    await page.close()
  })
})
