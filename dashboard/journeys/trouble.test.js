// An API that refuses, is busy or does not answer; and more rows than fit.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, open, signIn, url } from './browser.js'
import { createProject, deleteProject } from './world.js'

describe('trouble', () => {
  let browser, page, complaints, project
  before(async () => {
    project = await createProject('Trouble')
    browser = await launch()
    ;({ page, complaints } = await open(browser, { expected: [/\/v1\//] }))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    if (project) await deleteProject(project)
  })

  for (const [name, answer, says] of [
    ['a busy server', (route) => route.fulfill({ status: 429, headers: { 'Retry-After': '7', 'X-Request-Id': 'req-busy' }, json: { code: 'over_request_rate_limit', message: 'Too many requests' } }), /many|busy|again/i],
    ['a server that is away', (route) => route.fulfill({ status: 503, headers: { 'X-Request-Id': 'req-away' }, json: { code: 'database_unavailable', message: 'The database cannot be reached at the moment' } }), /cannot be reached|again/i],
    ['no answer', (route) => route.abort(), /No answer|connection/i],
    ['nonsense', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>a proxy</h1>' }), /./],
  ]) {
    test(`${name} is said, and the page works once it answers again`, async () => {
      const routes = `**/v1/projects/${project.ref}/auth/users**`
      await page.route(routes, answer)
      await page.goto(`${url}/p/${project.ref}/users`)
      const retry = page.getByRole('button', { name: /Try again|Retry/ }).first()
      await retry.waitFor({ timeout: 30_000 })
      assert.match(await page.locator('main').innerText(), says)
      assert.deepEqual(await accessibility(page), [])
      await page.unroute(routes)
      await retry.click()
      await page.getByText(/No users|first user/i).first().waitFor()
      complaints.splice(0, complaints.length, ...complaints.filter((c) => !/net::ERR_FAILED|Failed to fetch/.test(c)))
      assert.deepEqual(complaints, [])
    })
  }

  test('a form whose request gets no answer keeps what was typed', async () => {
    await page.goto(`${url}/p/${project.ref}/settings`)
    const field = page.getByLabel('Name', { exact: true }).first()
    await field.fill('A new name')
    await page.route(`**/v1/projects/${project.ref}`, (route) => (route.request().method() === 'PATCH' ? route.abort() : route.continue()))
    await page.getByRole('button', { name: /^(Save|Rename)/ }).first().click()
    await page.getByRole('alert').first().waitFor()
    assert.equal(await field.inputValue(), 'A new name')
    await page.unroute(`**/v1/projects/${project.ref}`)
    await page.getByRole('button', { name: /^(Save|Rename)/ }).first().click()
    await page.getByRole('alert').first().waitFor({ state: 'hidden' })
    complaints.splice(0, complaints.length, ...complaints.filter((c) => !/net::ERR_FAILED|Failed to fetch/.test(c)))
    assert.deepEqual(complaints, [])
  })

  test('twelve thousand projects are a page like any other', async () => {
    const rows = Array.from({ length: 12_000 }, (_, i) => i)
    const own = await page.evaluate(() => fetch('/v1/operator/projects?limit=1').then((r) => r.json()))
    const list = Object.keys(own).find((k) => Array.isArray(own[k])) ?? 'projects'
    const sample = own[list][0]
    await page.route('**/v1/operator/projects?**', (route) => {
      const query = new URL(route.request().url()).searchParams
      const [after, limit] = [Number(query.get('after') ?? query.get('cursor') ?? 0), Number(query.get('limit') ?? 100)]
      const part = rows.slice(after, after + limit).map((i) => ({ ...sample, ref: i.toString(26).padStart(20, 'a').replace(/[0-9]/g, 'q'), name: i % 7 === 0 ? `متجر ${i} ${'طويل '.repeat(30)}` : `Project ${i}` }))
      const next = after + limit < rows.length ? String(after + limit) : null
      return route.fulfill({ json: { ...own, [list]: part, next, next_cursor: next, total: rows.length } })
    })
    await page.goto(`${url}/operator/projects`)
    await page.getByText('Project 1', { exact: true }).first().waitFor()
    for (let i = 0; i < 12; i++) {
      await page.mouse.wheel(0, 20_000)
      await page.waitForTimeout(120)
    }
    const drawn = await page.getByRole('row').count()
    assert.ok(drawn < 400, `${drawn} rows are drawn at once`)
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(sideways <= 0, 'the page scrolls sideways')
    assert.deepEqual(complaints, [])
    await page.unroute('**/v1/operator/projects?**')
  })
})
