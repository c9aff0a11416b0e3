// The captcha of the dashboard's own sign-in page: an operator turns it on, the page
// loads the provider's widget, which is answered at the border of the network, and its
// token goes with each form. It has a server of its own, because it changes how
// everybody signs in.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const widget = `window.turnstile = {
  render(where, o) {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = 'I am a person (' + o.sitekey + ')'
    button.onclick = () => o.callback('solved-' + (window.solved = (window.solved ?? 0) + 1))
    where.append(button)
    return 'widget'
  },
  reset() { window.resets = (window.resets ?? 0) + 1 },
  remove() {},
}`

describe('the captcha of the sign-in page', () => {
  let folder, server, verifier, asked, browser, journeys, operator, url, ref
  const tokens = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'captcha-'))
    verifier = createServer((req, res) => {
      let body = ''
      req.on('data', (part) => (body += part)).on('end', () => {
        const token = new URLSearchParams(body).get('response')
        tokens.push(token)
        res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(tokens.length === 1 ? { success: false, 'error-codes': ['timeout-or-duplicate'] } : { success: true }))
      })
    }).listen(0, '127.0.0.1')
    await once(verifier, 'listening')
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address()
    await new Promise((resolve) => free.close(resolve))
    const log = join(folder, 'log')
    server = spawn(process.env.REEVE_BIN ?? new URL('../../bin/reeve', import.meta.url).pathname, ['dev', '--listen', `127.0.0.1:${port}`, '--data', join(folder, 'data'), '--postgres-port', '0'], {
      env: { ...process.env, REEVE_TURNSTILE_URL: `http://127.0.0.1:${verifier.address().port}/siteverify` },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [server.stdout, server.stderr]) stream.pipe(createWriteStream(log, { flags: 'a' }))
    for (let i = 0; !(await fetch(`http://127.0.0.1:${port}/readyz`).then((r) => r.ok, () => false)); i++) {
      if (i > 300 || server.exitCode !== null) throw new Error('the server did not start')
      await sleep(200)
    }
    Object.assign(process.env, { REEVE_URL: `http://127.0.0.1:${port}`, REEVE_LOG: log })
    journeys = await import('./browser.js')
    ;({ url } = journeys)
    browser = await journeys.launch()
    operator = await journeys.open(browser)
    await journeys.signIn(operator.page)
  })
  after(async () => {
    await browser?.close()
    if (server && server.exitCode === null) {
      server.kill()
      await once(server, 'exit')
    }
    verifier?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('an operator finds the settings, and turns it on', async () => {
    const { page, complaints } = operator
    await page.goto(`${url}/operator`)
    await page.getByText('Anybody may make one').or(page.getByText('Only by invitation')).first().waitFor()
    assert.deepEqual(await journeys.accessibility(page), [])
    complaints.length = 0
    await page.getByRole('link', { name: 'Change the settings' }).click()
    await page.getByRole('heading', { level: 1, name: 'Providers' }).waitFor()
    ref = new URL(page.url()).pathname.split('/')[2]
    assert.equal(await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Users' }).count(), 0, 'what operators may not see is left out')
    const patch = (body) => page.evaluate(([ref, body]) => fetch(`/v1/projects/${ref}/config/auth`, { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then((r) => r.status), [ref, body])
    const on = { security_captcha_enabled: true, security_captcha_provider: 'turnstile', security_captcha_secret: 'secret', disable_signup: false }
    assert.equal(await patch(on), 400, 'without a site key nobody could sign in')
    assert.equal(await patch({ ...on, security_captcha_site_key: 'site-1' }), 200)
    for (let i = 0; i < 100; i++, await sleep(200)) if ((await (await fetch(`${url}/dashboard/config`)).json()).auth.captcha === 'turnstile') return
    assert.fail('the page is not told')
  })

  test('the page shows it, and its token goes with the form; a refused one is solved again', async () => {
    const { page, complaints, context } = await journeys.open(browser, { expected: [/\/auth\/v1\//] })
    asked = []
    await context.route('https://challenges.cloudflare.com/**', (route) => {
      asked.push(route.request().url())
      return route.fulfill({ contentType: 'text/javascript', body: widget })
    })
    await page.goto(url) // leads to the sign-in page, which becomes a document that may show it
    await page.getByRole('button', { name: 'I am a person (site-1)' }).waitFor()
    assert.equal(asked.length > 0, true)
    assert.deepEqual(await journeys.accessibility(page), [])
    await page.getByLabel('E-mail address').fill('nobody@example.com')
    await page.getByLabel('Password').fill('a long passphrase')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('Solve the captcha first').waitFor()
    assert.deepEqual(tokens, [])
    await page.getByRole('button', { name: /I am a person/ }).click()
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('The captcha was not accepted. Solve it again.').waitFor()
    assert.equal(await page.getByLabel('E-mail address').inputValue(), 'nobody@example.com')
    await page.getByRole('button', { name: /I am a person/ }).click()
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByText('The address or the password is wrong').waitFor()
    assert.deepEqual(tokens, ['solved-1', 'solved-2'])

    // The way to a new account and to a new password has it too.
    await page.getByRole('link', { name: 'Create an account' }).click()
    await page.getByLabel('E-mail address').fill('new@example.com')
    await page.getByLabel('Password').fill('a long passphrase')
    await page.getByRole('button', { name: /I am a person/ }).click()
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByText(/new@example.com/).first().waitFor()
    await page.goto(`${url}/reset`)
    await page.getByLabel('E-mail address').fill('nobody@example.com')
    await page.getByRole('button', { name: /I am a person/ }).click()
    await page.locator('form button[type=submit]').click()
    await page.getByRole('status').filter({ hasText: 'nobody@example.com' }).waitFor()
    assert.equal(tokens.length, 4)
    assert.deepEqual(complaints.filter((c) => !c.startsWith('request to https://challenges.cloudflare.com/')), [])
    await context.close()
  })

  test('a widget that is kept away is said', async () => {
    const { page, context } = await journeys.open(browser)
    await context.route('https://challenges.cloudflare.com/**', (route) => route.abort())
    await page.goto(`${url}/sign-in`)
    await page.getByText(/could not be loaded/).waitFor()
    await context.close()
  })

  test('pages behind the sign-in may not load it', async () => {
    const policy = async (path) => (await fetch(url + path, { headers: { Accept: 'text/html' } })).headers.get('content-security-policy')
    const strict = await policy('/orgs/default')
    assert.ok(!strict.includes('cloudflare'), strict)
    assert.ok((await policy('/sign-in')).includes("script-src 'self' https://challenges.cloudflare.com;"))
  })
})
