// A real browser for journeys and screenshots: Debian's Chromium, driven by
// playwright-core. clients/run.sh starts the server and finds the browser.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

// The server by the name that browsers know it by.
export const url = process.env.REEVE_URL.replace('127.0.0.1', 'localhost')

/** A link that signs the operator in; it works once. Two files that ask at a time may be given the same. */
export async function operatorLink() {
  for (;;) {
    const response = await fetch(`${url}/dev/link`, { method: 'POST', headers: { Origin: url, Accept: 'text/html' } })
    await response.body?.cancel()
    if (response.status === 204) break
    if (response.status !== 429) throw new Error(`no link: status ${response.status}`)
    await new Promise((resolve) => setTimeout(resolve, 300)) // one was printed a moment ago
  }
  const links = (await readFile(process.env.REEVE_LOG, 'utf8')).match(/http:\S+\/dev\/open\?code=\S+/g)
  return links.at(-1)
}

/** Starts a browser that reaches this machine alone. */
export async function launch() {
  return chromium.launch({
    executablePath: process.env.REEVE_CHROMIUM,
    args: ['--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  })
}

/**
 * A page that collects what it complains about, in complaints: errors on the
 * console, exceptions, violations of the content security policy, and requests to
 * other origins. Answers with an error status are a complaint too, unless expected
 * names them.
 */
export async function open(browser, { width = 1280, height = 800, theme = 'light', expected = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000) // the machine may be busy
  const complaints = []
  page.on('pageerror', (error) => complaints.push(`exception: ${error.stack ?? error}`))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of \d+/.test(message.text())) complaints.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== new URL(url).origin && !['data:', 'blob:', 'about:'].includes(protocol)) complaints.push(`request to ${request.url()}`)
  })
  page.on('response', (response) => {
    const known = [...expected, /\/dashboard\/session(\/refresh)?$/, /\/dev\/open/].some((pattern) => pattern.test(response.url()))
    if (response.status() >= 400 && !known) complaints.push(`status ${response.status()} of ${response.url()}`)
  })
  return { context, page, complaints }
}

/** Signs the operator in. */
export async function signIn(page, link) {
  for (let tries = 1; ; tries++) {
    await page.goto(link ?? (await operatorLink()))
    const used = page.getByText('This link was used or has expired').waitFor().then(() => 'used')
    const signedIn = page.waitForURL(/\/(orgs|new)/).then(() => 'in')
    const [outcome] = await Promise.all([Promise.any([used, signedIn]), Promise.race([used, signedIn]).catch(() => {})])
    used.catch(() => {})
    signedIn.catch(() => {})
    if (outcome === 'in') return
    if (link || tries === 5) throw new Error(`no sign-in: ${page.url()}: ${await page.locator('body').innerText()}`)
  }
}

/** What axe finds that is serious or critical. */
export async function accessibility(page) {
  // Not as a script of the page, which its policy forbids.
  await page.evaluate(await readFile(axe, 'utf8'))
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], preload: false }))
  return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id} (${v.impact}): ${v.help}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 5).join(' | ')}`)
}

/** Waits for a notification; readers get it too, so that it is there twice. */
export const notified = (page, text) => page.getByText(text).first().waitFor()
