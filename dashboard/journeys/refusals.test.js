// Every page while the API refuses, is away or slow: there is a designed
// state, never a blank page or a raw error; the request can be named; and the page
// works once the API answers again.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { pages } from './pages.js'
import { richOrganization, richProject } from './rich.js'
import { deleteProject } from './world.js'

// Pages that need no answer to be shown: what is refused is what they send.
const silent = new Set(['new', 'new-provider', 'new-connection', 'database'])

// The API forbids on all pages, is away on every other one and slow on the rest. On these it is both.
const both = new Set(['projects', 'home', 'users', 'user', 'auth-passwords', 'connection', 'logs', 'operator'])

// One page of each layout, for axe: the others are refused in the same words.
const layouts = new Set(['projects', 'members', 'audit', 'billing', 'account', 'operator', 'home', 'users', 'user', 'provider', 'auth-passwords', 'template', 'connection', 'connection-rules', 'keys', 'tables', 'logs', 'inbox', 'settings'])

const api = (address) => address.pathname.startsWith('/v1/')
const refusal = (status, code, message, id) => (route) => route.fulfill({ status, headers: { 'X-Request-Id': id }, json: { code, message } })
const told = (page) => page.locator('main').getByRole('alert').or(page.getByRole('alert')).first()

/** What is wrong with what a page shows. */
async function faults({ page, complaints }) {
  const main = await page.locator('main').first().innerText()
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  const loading = await page.locator('main .animate-pulse').count() // parts that are on their way have their shape
  return [
    ...(main.trim().length < 20 && loading === 0 ? ['blank'] : []),
    ...(/\[object |undefined|NaN|at \w+ \(|TypeError/.test(main) ? [`raw: ${main.slice(0, 300)}`] : []),
    ...(sideways > 0 ? ['scrolls sideways'] : []),
    ...complaints.filter((c) => c.startsWith('exception')),
  ]
}

/** Waits until a page says what is the matter, by the request's id. */
async function refused(tab, id) {
  await told(tab.page).waitFor()
  await tab.page.getByText(id).first().waitFor()
  assert.deepEqual(await faults(tab), [])
}

describe('every page', { concurrency: true }, () => {
  let browser, world
  const tabs = []
  before(async () => {
    world = await richProject('Refusals')
    browser = await launch()
    for (let i = 0; i < 4; i++) {
      const tab = await open(browser, { expected: [/\/v1\//] })
      await signIn(tab.page)
      tabs.push(tab)
    }
    await richOrganization(tabs[0].page)
  })
  after(async () => {
    await browser?.close()
    if (world) await deleteProject(world.project)
  })

  /** Runs a test on each of the addresses, in one page after the other. */
  async function each(t, tab, chosen, act) {
    const all = Object.entries(pages(world)).filter(([title], i) => chosen(title, i))
    for (const [i, [title, path]] of all.entries()) {
      tab.complaints.length = 0
      await t.test(title, () => act(tab, path, title, i))
    }
  }

  // One load for all of them: what is refused is kept nowhere. Between two pages is
  // one without parts, so that each of them asks anew.
  test('while the API is forbidding', async (t) => {
    const tab = tabs[0]
    const go = (path) => tab.page.evaluate((to) => history.pushState(null, '', to), path)
    let answer
    await tab.page.route(api, (route) => answer(route))
    answer = refusal(403, 'forbidden', 'Your role in the organization does not allow this', 'req-403')
    await tab.page.goto(`${url}/nowhere`)
    await each(t, tab, (title) => !silent.has(title), async ({ page }, path, title, i) => {
      await page.getByRole('heading', { name: 'There is no page at this address' }).waitFor()
      answer = refusal(403, 'forbidden', 'Your role in the organization does not allow this', `req-403-${i}.`)
      try {
        await go(path)
        await refused(tab, `req-403-${i}.`)
        if (layouts.has(title)) assert.deepEqual(await accessibility(page), [])
      } finally {
        await go('/nowhere')
      }
    })
  })

  // The tests of an outage wait for what is tried again more than they work.
  for (const half of [0, 1]) {
    test(`while the API is away, ${half + 1}`, async (t) => {
      await each(t, tabs[1 + half], (title, i) => !silent.has(title) && (both.has(title) ? i % 2 === half : i % 4 === 2 * half), async (tab, path) => {
        const { page } = tab
        const away = refusal(503, 'database_unavailable', 'The database cannot be reached at the moment', 'req-503')
        await page.route(api, away)
        try {
          await page.goto(url + path, { waitUntil: 'domcontentloaded' })
          await refused(tab, 'req-503')
        } finally {
          await page.unroute(api, away)
        }
        // Each part of a page that could not be shown is asked for again by its own button.
        const retry = page.getByRole('button', { name: /^(Try again|Retry)$/ }).first()
        await retry.click()
        for (const end = Date.now() + 30_000; (await retry.isVisible()) && Date.now() < end; ) await retry.click({ timeout: 1000 }).catch(() => {})
        await told(page).waitFor({ state: 'detached' })
        await page.locator('h1').first().waitFor()
        assert.deepEqual(await faults(tab), [])
      })
    })
  }

  test('while the API is slow', async (t) => {
    await each(t, tabs[3], (title, i) => both.has(title) || silent.has(title) || i % 2 === 1, async (tab, path) => {
      const { page } = tab
      let release
      const held = new Promise((resolve) => (release = resolve))
      await page.route(api, async (route) => {
        await held
        await route.continue().catch(() => {}) // the page went on
      })
      await page.goto(url + path, { waitUntil: 'domcontentloaded' })
      // A skeleton or what needs no answer, and no spinner alone.
      await page.locator('.animate-pulse, [role=status], [aria-busy=true], h1').first().waitFor()
      release()
      await page.unrouteAll({ behavior: 'ignoreErrors' })
      await page.locator('h1').first().waitFor()
      assert.deepEqual(await faults(tab), [])
    })
  })
})
