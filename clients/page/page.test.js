// The page of `reeve dev` and the page that links in mails lead to, in a browser.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { Browser } from '../lib/chromium.js'
import { CLI } from '../lib/cli.js'
import { connect } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

describe('in a browser', () => {
  let project, browser, link
  before(async () => {
    project = await createProject('the page', { site_url: undefined }) // keeps the one that it begins with
    browser = await Browser.open()
    link = (await readFile(process.env.REEVE_LOG, 'utf8')).match(/http:\S+\/dev\/open\?code=\S+/)[0]
  })
  after(async () => {
    await browser?.close()
    await deleteProject(project)
  })

  /** Signs a user up, and gives the address and the mail. */
  async function signUp(config) {
    const email = freshEmail()
    ok(await connect(project).auth.signUp({ email, password, ...config }))
    return { email, mail: await new Inbox(project).next(email) }
  }

  test('the link of the banner signs in, once', async () => {
    const page = await browser.visit(link)
    await page.until('location.pathname.startsWith("/orgs/") && !!document.querySelector("h1")')
    assert.equal(await page.value('location.search + location.hash'), '')
    await page.until('!!document.querySelector(`main a[href^="/p/"]`)')
    assert.equal(await page.value('document.cookie'), '', 'no script reads the cookie')

    const again = await browser.visit(link)
    await again.until('document.title === "This link was used or has expired"')
  })

  test('the session is one of the Management API, for pages of the main host alone', async () => {
    const origin = new URL(link).origin
    const own = await browser.visit(`${origin}/v1/openapi.json`)
    await own.until('document.readyState === "complete"')
    const status = (page, path, options = {}) => page.value(`fetch(${JSON.stringify(origin + path)}, ${JSON.stringify(options)}).then((r) => r.status, (e) => e.name)`)
    assert.equal(await status(own, '/v1/profile'), 200)
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' } }
    assert.equal(await status(own, '/v1/profile/access-tokens', { ...json, body: '{"name":"from a page"}' }), 201)

    // Another port of this machine is the same site, so the browser sends the cookies.
    const evil = createServer((_, res) => res.setHeader('Content-Type', 'text/html').end('<!DOCTYPE html><title>evil</title>')).listen(0, 'localhost')
    try {
      await once(evil, 'listening')
      const page = await browser.visit(`http://localhost:${evil.address().port}/`)
      await page.until('document.title === "evil"')
      const include = { credentials: 'include' }
      assert.equal(await status(page, '/v1/profile', include), 'TypeError', 'it reads nothing')
      assert.equal(await status(page, '/v1/profile/access-tokens', { ...include, ...json, body: '{"name":"stolen"}' }), 'TypeError')
      assert.equal(await status(page, '/dashboard/session', { ...include, method: 'DELETE' }), 'TypeError')
      await status(page, '/dashboard/session/refresh', { ...include, method: 'POST', mode: 'no-cors' })
      await status(page, '/v1/profile/access-tokens', { ...include, method: 'POST', mode: 'no-cors', body: '{"name":"stolen"}' })
      await page.value(`(() => {
        const form = document.createElement('form')
        form.method = 'post'
        form.action = ${JSON.stringify(`${origin}/dev/open`)}
        document.body.append(form)
        form.submit()
      })()`)
      await page.until('document.title === "This form was sent by another site"')
    } finally {
      evil.close()
    }
    const tokens = await own.value(`fetch('/v1/profile/access-tokens').then((r) => r.json())`)
    assert.deepEqual(tokens.map((t) => t.name).filter((name) => ['from a page', 'stolen'].includes(name)), ['from a page'])
    browser.complaints.length = 0 // of the page that was refused
  })

  test('a service token that a page made works with the stock CLI, and outside of its organization not', async () => {
    const page = await browser.visit(`${new URL(link).origin}/v1/openapi.json`)
    await page.until('document.readyState === "complete"')
    const post = (path, body) =>
      page.value(`fetch(${JSON.stringify(path)}, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))} }).then((r) => r.json())`)
    const other = await post('/v1/organizations', { name: 'another' })
    const names = async (token) => {
      const cli = await CLI.open(token)
      try {
        const { status, stdout, stderr } = await cli.run(['projects', 'list', '-o', 'json'])
        assert.equal(status, 0, stderr)
        return JSON.parse(stdout).map((p) => p.name)
      } finally {
        await cli.close()
      }
    }
    const made = await post('/v1/organizations/default/service-tokens', { name: 'CI', expires_in: 3600, permissions: ['organization:read', 'project:read'] })
    assert.match(made.token, /^sbp_[0-9a-f]{40}$/)
    assert.ok((await names(made.token)).includes('the page'))
    const theirs = await post(`/v1/organizations/${other.slug}/service-tokens`, { name: 'CI', expires_in: 3600 })
    assert.deepEqual(await names(theirs.token), [])
  })

  test('a captured mail opens a link that ends at a page', async () => {
    const { email, mail } = await signUp()
    refused(await connect(project).auth.signInWithPassword({ email, password }), 400, 'email_not_confirmed')
    const landing = await browser.visit(verifyLink(mail))
    await landing.until('document.title === "Confirm your e-mail address"')
    refused(await connect(project).auth.signInWithPassword({ email, password }), 400, 'email_not_confirmed')
    await landing.value('document.querySelector("form button").click()')
    await landing.until(`location.pathname === "/landing/${project.ref}"`)
    await landing.until('document.title === "Your address is confirmed"')
    assert.equal(await landing.value('location.hash + location.search'), '', 'the session is not in the address')
    assert.match(await landing.text(), /site_url=/)
    assert.ok(!(await landing.value('document.documentElement.outerHTML')).includes('eyJ'), 'no part of the page has it')
    ok(await connect(project).auth.signInWithPassword({ email, password }))

    const used = await browser.visit(verifyLink(mail))
    await used.until('document.title === "This link has expired or was used before"')
    assert.equal(await used.value('location.hash + location.search'), '')
  })

  test('a refusal is shown as text', async () => {
    const markup = '<img src=x onerror=document.title=1>'
    const page = await browser.visit(new URL(`/landing/${project.ref}#error=x&error_code=y&error_description=${encodeURIComponent(markup)}`, link).href)
    await page.until('document.title === "This did not work"')
    assert.ok((await page.text()).includes(markup))
  })

  test('a session goes on when its access token has expired', async () => {
    const origin = new URL(link).origin
    const page = await browser.visit(`${origin}/v1/openapi.json`)
    await page.until('document.readyState === "complete"')
    const { cookies } = await page.send('Network.getCookies', { urls: [`${origin}/dashboard/session`] })
    const access = cookies.find((c) => c.name.startsWith('reeve-access'))
    const refresh = cookies.find((c) => c.name.startsWith('reeve-refresh'))
    assert.ok(access.httpOnly && refresh.httpOnly && access.sameSite === 'Strict' && refresh.sameSite === 'Strict')
    assert.deepEqual([access.path, refresh.path], ['/', '/dashboard/session'])
    const answers = await page.value(`Promise.all([1, 2, 3].map(() => fetch('/dashboard/session/refresh', { method: 'POST' }).then((r) => r.status)))`)
    assert.deepEqual(answers, [200, 200, 200], 'three tabs at once')

    // Signed out elsewhere: the page tries to go on, and then asks to sign in.
    await page.value(`fetch('/dashboard/session', { method: 'DELETE' })`)
    await page.send('Network.setCookie', { ...access, url: origin, expires: Date.now() / 1000 + 600 })
    await page.send('Network.setCookie', { ...refresh, url: `${origin}/dashboard/session`, expires: Date.now() / 1000 + 600 })
    const home = await browser.visit(origin)
    await home.until('location.pathname === "/sign-in" && !!document.querySelector("h1")')
    assert.deepEqual((await page.send('Network.getCookies', { urls: [`${origin}/dashboard/session`] })).cookies, [])
  })

  test('no page broke its own policy', () => assert.deepEqual(browser.complaints, []))
})
