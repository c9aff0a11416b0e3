// The links in mails: whatever opens them, only a person who presses the button
// uses them up.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { App } from '../lib/app.js'
import { Browser } from '../lib/chromium.js'
import { connect, connectAdmin } from '../lib/client.js'
import { claimsOf, freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let app, project, inbox, admin, scanner, plain
before(async () => {
  app = await App.open()
  project = await createProject('links', { site_url: app.origin, uri_allow_list: `${app.origin}/**` })
  inbox = new Inbox(project)
  admin = connectAdmin(project).auth.admin
  scanner = await Browser.open()
  plain = await Browser.open({ javaScript: false, cookies: false })
})
after(async () => {
  await scanner?.close()
  await plain?.close()
  app?.close()
  await deleteProject(project)
})

// What opens links in mails before a person does, as its requests look.
const robots = {
  'a mail gateway': ['HEAD', { 'user-agent': 'Mozilla/5.0 (compatible; Barracuda Sentinel)' }],
  'a gateway that follows up': ['GET', { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:68.0) Gecko/20100101 Firefox/68.0' }],
  'Safe Links': ['GET', { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 BingPreview/1.0b' }],
  'Google images': ['GET', { 'user-agent': 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)' }],
  Slack: ['GET', { 'user-agent': 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', range: 'bytes=0-32768' }],
  WhatsApp: ['GET', { 'user-agent': 'WhatsApp/2.23.20.0 A' }],
  Facebook: ['GET', { 'user-agent': 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)' }],
  Telegram: ['GET', { 'user-agent': 'TelegramBot (like TwitterBot)' }],
  iMessage: ['GET', { 'user-agent': 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0' }],
  'a browser that prefetches': ['GET', { 'sec-purpose': 'prefetch;prerender', purpose: 'prefetch' }],
  'a crawler': ['GET', { 'user-agent': 'curl/8.5.0', accept: '*/*' }],
  'a client of an API': ['GET', { accept: 'application/json' }],
  'one that asks for options': ['OPTIONS', {}],
}

/** Opens a link in every way but a person's. */
async function scan(link) {
  for (const [name, [method, headers]] of Object.entries(robots)) {
    const res = await fetch(link, { method, headers, redirect: 'manual' })
    await res.arrayBuffer()
    assert.ok(res.status < 300 || res.status === 405, `${name}: ${res.status}`)
    assert.equal(res.headers.get('set-cookie'), null, name)
  }
  // One that runs scripts and follows each link, and the links of those pages.
  const seen = new Set()
  const crawl = async (url, depth) => {
    if (seen.has(url)) return
    seen.add(url)
    const page = await scanner.visit(url)
    await page.until('document.readyState === "complete"')
    await sleep(100) // for scripts
    const links = depth > 0 ? await page.value('[...document.querySelectorAll("a[href],link[href],area[href]")].map(({ href }) => href)') : []
    for (const next of links) await crawl(next, depth - 1)
    await page.close()
  }
  await crawl(link, 2)
}

/** Opens a link as a person does whose browser has neither scripts nor cookies, and presses the button: the address at the app. */
async function press(link) {
  const page = await plain.visit(link)
  await page.click('form button')
  await page.until(`location.origin === ${JSON.stringify(app.origin)}`)
  const url = new URL(await page.url())
  await page.close()
  return { path: url.pathname, query: url.searchParams, fragment: new URLSearchParams(url.hash.slice(1)) }
}

const redirectTo = () => app.address(project, 'implicit')
const confirmed = async () => ok(await admin.createUser({ email: freshEmail(), password, email_confirm: true })).user

// For each type of link: who asks for it and gets the mail, {email, id}.
const asks = {
  async signup() {
    const email = freshEmail()
    const { user } = ok(await connect(project).auth.signUp({ email, password, options: { emailRedirectTo: redirectTo() } }))
    return { email, id: user.id }
  },
  async magiclink() {
    const { email, id } = await confirmed()
    ok(await connect(project).auth.signInWithOtp({ email, options: { emailRedirectTo: redirectTo() } }))
    return { email, id }
  },
  async recovery() {
    const { email, id } = await confirmed()
    ok(await connect(project).auth.resetPasswordForEmail(email, { redirectTo: redirectTo() }))
    return { email, id }
  },
  async invite() {
    const email = freshEmail()
    const { user } = ok(await admin.inviteUserByEmail(email, { redirectTo: redirectTo() }))
    return { email, id: user.id }
  },
}

test('the browser of the person has no scripts and no cookies', async () => {
  for (const [browser, scripts, cookies] of [[plain, 'undefined', 'no cookie'], [scanner, 'string', 'seen=1']]) {
    const page = await browser.visit(app.address(project, 'implicit'))
    await page.until('document.readyState === "complete" && document.querySelector("h1")')
    assert.equal(await page.value('typeof opened'), scripts)
    for (const times of [1, 2]) {
      await page.go(`${app.origin}/${times}`)
      await page.until(`location.pathname === "/${times}" && document.querySelector("p")`)
    }
    assert.equal(await page.value('document.querySelector("p").textContent'), cookies)
    await page.close()
  }
})

describe('the link of', () => {
  for (const [type, ask] of Object.entries(asks)) {
    test(type, async () => {
      const { email, id } = await ask()
      const link = verifyLink(await inbox.next(email))
      const before = ok(await admin.getUserById(id)).user
      await scan(link)
      assert.deepEqual(ok(await admin.getUserById(id)).user, before, 'the user has changed')

      const { path, query, fragment } = await press(link)
      assert.equal(path, new URL(redirectTo()).pathname)
      assert.equal(query.size, 0)
      assert.equal(fragment.get('type'), type)
      assert.equal(claimsOf(fragment.get('access_token')).sub, id)
      const sb = connect(project)
      const { user } = ok(await sb.auth.setSession({ access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }))
      assert.ok(user.email_confirmed_at)

      const used = await plain.visit(link)
      await used.until(`location.origin === ${JSON.stringify(app.origin)}`)
      assert.equal(new URLSearchParams(new URL(await used.url()).hash.slice(1)).get('error_code'), 'otp_expired')
      await used.close()
    })
  }

  test('email_change, to both addresses', async () => {
    const { email, id } = await confirmed()
    const sb = connect(project)
    ok(await sb.auth.signInWithPassword({ email, password }))
    const changed = freshEmail('changed')
    ok(await sb.auth.updateUser({ email: changed }, { emailRedirectTo: redirectTo() }))
    const links = []
    for (const to of [email, changed]) links.push(verifyLink(await inbox.next(to)))
    for (const link of links) await scan(link)
    assert.equal(ok(await admin.getUserById(id)).user.email, email)

    const half = await press(links[0])
    assert.match(half.fragment.get('message'), /Please proceed to confirm link sent to the other email/)
    await scan(links[1])
    assert.equal(ok(await admin.getUserById(id)).user.email, email, 'half a change')
    const { fragment } = await press(links[1])
    assert.equal(fragment.get('type'), 'email_change')
    assert.equal(ok(await connect(project).auth.getUser(fragment.get('access_token'))).user.email, changed)
  })

  test('a scanned mail, whose code is typed instead', async () => {
    const { email, id } = await asks.signup()
    const mail = await inbox.next(email)
    await scan(verifyLink(mail))
    const { user } = ok(await connect(project).auth.verifyOtp({ email, token: mail.code, type: 'signup' }))
    assert.equal(user.id, id)
  })
})

describe('a link that began with PKCE', () => {
  /** Asks for a link in a browser of somebody's, and reads the mail. */
  async function asked(somebody, { email }) {
    const page = await app.visit(somebody, project, 'pkce')
    const options = { emailRedirectTo: app.address(project, 'pkce') }
    assert.equal(await page.value(`client.auth.signInWithOtp(${JSON.stringify({ email, options })}).then(({ error }) => error)`), null)
    return { page, mail: await inbox.next(email) }
  }

  test('signs in the browser that asked for it', async () => {
    const user = await confirmed()
    const somebody = await scanner.another()
    const { mail } = await asked(somebody, user)
    await scan(verifyLink(mail))
    const page = await somebody.visit(verifyLink(mail))
    await page.click('form button')
    const { session, events } = await app.begun(page)
    assert.equal(session?.user.id, user.id)
    assert.ok(events.includes('SIGNED_IN'), `${events}`)
  })

  test('says in another browser what to do, and the code of its mail does it', async () => {
    const user = await confirmed()
    const { page, mail } = await asked(await scanner.another(), user)
    const elsewhere = await plain.visit(verifyLink(mail))
    await elsewhere.find('form button')
    assert.match(await elsewhere.text(), /Press the button in the browser in which you asked for the mail\. On another device, type the code from the mail into the app instead\./)
    const credentials = JSON.stringify({ email: user.email, token: mail.code, type: 'email' })
    assert.equal(await page.value(`client.auth.verifyOtp(${credentials}).then(({ data }) => data.user?.id)`), user.id)
  })

  test('pressed in another browser signs nobody in there', async () => {
    const user = await confirmed()
    const { mail } = await asked(await scanner.another(), user)
    const page = await (await scanner.another()).visit(verifyLink(mail))
    await page.click('form button')
    const { session, opened } = await app.begun(page)
    assert.equal(session, null)
    const code = new URL(opened).searchParams.get('code')
    assert.ok(code, opened)
    const thief = connect(project, 'path', { flowType: 'pkce' })
    ok(await thief.auth.resetPasswordForEmail(freshEmail())) // so that it has a verifier
    refused(await thief.auth.exchangeCodeForSession(code), 400, 'bad_code_verifier')
  })
})

test('no page broke its own policy', () => assert.deepEqual([...scanner.complaints, ...plain.complaints], []))
