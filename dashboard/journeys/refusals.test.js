// Every page while the API refuses, is away or slow: there is a designed
// state, never a blank page or a raw error; the request can be named; and the page
// works once the API answers again.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { pages } from './pages.js'
import { richOrganization, richProject } from './rich.js'
import { deleteProject } from './world.js'

const refusal = (status, code, message, head = {}) => (route) => route.fulfill({ status, headers: { 'X-Request-Id': `req-${status}`, ...head }, json: { code, message } })

// Pages that need no answer to be shown: what is refused is what they send.
const silent = new Set(['new', 'new-provider', 'new-connection', 'database'])

describe('every page', () => {
  let browser, world, page, complaints
  before(async () => {
    world = await richProject('Refusals')
    browser = await launch()
    ;({ page, complaints } = await open(browser, { expected: [/\/v1\//] }))
    await signIn(page)
    await richOrganization(page)
  })
  after(async () => {
    await browser?.close()
    if (world) await deleteProject(world.project)
  })

  const under = async (answer, act) => {
    const all = (address) => address.pathname.startsWith('/v1/')
    await page.route(all, answer)
    try {
      await act()
    } finally {
      await page.unroute(all, answer)
    }
  }
  const told = () => page.locator('main').getByRole('alert').or(page.getByRole('alert')).first()
  /** What is wrong with what a page shows. */
  const faults = async () => {
    const main = await page.locator('main').first().innerText()
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    return [
      ...(main.trim().length < 20 ? ['blank'] : []),
      ...(/\[object |undefined|NaN|at \w+ \(|TypeError/.test(main) ? [`raw: ${main.slice(0, 300)}`] : []),
      ...(sideways > 0 ? ['scrolls sideways'] : []),
      ...complaints.filter((c) => c.startsWith('exception')),
    ]
  }

  for (const [name, answer, id, again] of [
    ['away', refusal(503, 'database_unavailable', 'The database cannot be reached at the moment'), 'req-503', true],
    ['forbidding', refusal(403, 'forbidden', 'Your role in the organization does not allow this'), 'req-403', false],
  ]) {
    test(`while the API is ${name}`, async (t) => {
      for (const [title, path] of Object.entries(pages(world))) {
        if (silent.has(title)) continue
        await t.test(title, async () => {
          complaints.length = 0
          await under(answer, async () => {
            await page.goto(url + path, { waitUntil: 'domcontentloaded' })
            await told().waitFor({ timeout: 30_000 })
            const shown = await page.locator('body').innerText()
            if (id) assert.ok(shown.includes(id), `no request id: ${shown.slice(0, 400)}`)
            assert.deepEqual(await faults(), [])
            if (name === 'forbidding') assert.deepEqual(await accessibility(page), [])
          })
          if (!again) return
          // Each part of a page that could not be shown is asked for again by its own button.
          const retry = page.getByRole('button', { name: /^(Try again|Retry)$/ }).first()
          await retry.click()
          for (const end = Date.now() + 30_000; (await retry.isVisible()) && Date.now() < end; ) await retry.click({ timeout: 1000 }).catch(() => {})
          await told().waitFor({ state: 'detached', timeout: 30_000 })
          await page.locator('h1').first().waitFor()
          assert.deepEqual(await faults(), [])
        })
      }
    })
  }

  test('while the API is slow', async (t) => {
    for (const [title, path] of Object.entries(pages(world))) {
      await t.test(title, async () => {
        complaints.length = 0
        let release
        const held = new Promise((resolve) => (release = resolve))
        const slow = async (route) => {
          await held
          await route.continue().catch(() => {}) // the page went on
        }
        await page.route((address) => address.pathname.startsWith('/v1/'), slow)
        await page.goto(url + path, { waitUntil: 'domcontentloaded' })
        // A skeleton or what needs no answer, and no spinner alone.
        await page.locator('.animate-pulse, [role=status], [aria-busy=true], h1').first().waitFor()
        release()
        await page.unroute((address) => address.pathname.startsWith('/v1/'), slow).catch(() => {})
        await page.unrouteAll({ behavior: 'ignoreErrors' })
        await page.locator('h1').first().waitFor()
        assert.deepEqual(await faults(), [])
      })
    }
  })
})
