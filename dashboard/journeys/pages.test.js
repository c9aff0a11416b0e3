// What holds for every page: no complaint of the browser, nothing serious for axe, no
// scrolling sideways on a phone, a small first load.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { open as openPages, pages, unseen } from './pages.js'
import { richOrganization, richProject } from './rich.js'
import { deleteProject } from './world.js'

describe('every page', () => {
  let browser, world, light, second
  before(async () => {
    world = await richProject('Every page')
    browser = await launch()
    light = await open(browser)
    await signIn(light.page)
    await richOrganization(light.page)
    second = await open(browser)
    await signIn(second.page)
  })
  after(async () => {
    await browser?.close()
    await deleteProject(world.project)
  })

  test('is known here', () => assert.deepEqual(unseen({ ...pages(world), ...openPages(world) }), []))

  /** What is wrong with a page as it stands. */
  async function faults({ page, complaints }) {
    const found = await accessibility(page)
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    return [...complaints, ...found, ...(sideways > 0 ? [`scrolls ${sideways} px sideways`] : [])]
  }

  /** Loads a page, and looks at it wide and light, then narrow and dark. */
  async function check(tab, path) {
    const { page, complaints } = tab
    complaints.length = 0
    await page.emulateMedia({ colorScheme: 'light' })
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.goto(url + path)
    await page.locator('h1').first().waitFor()
    await page.waitForLoadState('networkidle')
    const wide = await faults(tab)
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 390, height: 800 })
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    assert.deepEqual({ 'wide and light': wide, 'narrow and dark': await faults(tab) }, { 'wide and light': [], 'narrow and dark': [] }, path)
    assert.match(await page.title(), /Reeve/)
  }

  test('of a person who is signed in', { concurrency: true }, async (t) => {
    const all = Object.entries(pages(world))
    await Promise.all([light, second].map(async (tab, lane) => {
      for (const [name, path] of all.filter((_, i) => i % 2 === lane)) await t.test(name, () => check(tab, path))
    }))
    await light.page.emulateMedia({ colorScheme: 'light' })
    await light.page.setViewportSize({ width: 1280, height: 800 })
  })

  test('an address without a page says so, with a way on', async () => {
    for (const path of ['/nowhere', `/p/${world.project.ref}/nowhere`]) {
      const response = await light.page.goto(url + path)
      assert.equal(response.status(), path === '/nowhere' ? 404 : 200)
      await light.page.getByRole('heading', { level: 1, name: 'There is no page at this address' }).waitFor()
      await light.page.getByRole('main').or(light.page.locator('#root')).first().getByText(path, { exact: true }).waitFor()
      assert.deepEqual(await accessibility(light.page), [])
      await light.page.getByRole('link', { name: 'Go to your projects' }).click()
      await light.page.waitForURL(/\/orgs\//)
    }
    for (const path of ['/v1/nowhere', `/p/${world.project.ref}/auth/v1/nowhere`]) {
      const response = await fetch(url + path)
      assert.deepEqual([response.status, response.headers.get('content-type')?.startsWith('application/json')], [404, true], path)
    }
    light.complaints.length = 0
  })

  test('without a session', async (t) => {
    const stranger = await open(browser)
    for (const [name, path] of Object.entries(openPages(world))) await t.test(name, () => check(stranger, path))
    await stranger.context.close()
  })

  // The size of the scripts that a page transfers, compressed, as the browser has it.
  const scripts = (page) =>
    page.evaluate(() => performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.js')).reduce((sum, e) => sum + (e.encodedBodySize || 0), 0))

  test('the first load is small, and no page of a stranger shows anything', async () => {
    const first = await open(browser)
    await first.page.goto(`${url}/sign-in`)
    await first.page.locator('h1').waitFor()
    await first.page.waitForLoadState('networkidle')
    const bytes = await scripts(first.page)
    assert.ok(bytes > 10_000 && bytes < 200 * 1024, `${bytes} bytes of script`)
    await first.context.close()

    const stranger = await open(browser, { expected: [/\/v1\//] })
    await stranger.page.goto(`${url}/p/${world.project.ref}/users`)
    await stranger.page.waitForURL(/\/sign-in\?next=/)
    assert.ok(!(await stranger.page.content()).includes('user1'))
    await stranger.context.close()
  })
})
