// Members with different roles, each in a browser of their own; and a role that is lost
// while a form is open.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { launch, open, signIn, url } from './browser.js'
import { call, join } from './people.js'

describe('two members', () => {
  let browser, operator, org, project, developer, reader
  before(async () => {
    browser = await launch()
    operator = await open(browser)
    await signIn(operator.page)
    org = await call(operator.page, 'POST', '/v1/organizations', { name: 'Two roles' })
    project = await call(operator.page, 'POST', '/v1/projects', { name: 'Shared', organization_slug: org.slug })
    developer = await join(browser, operator.page, org.slug, 'developer', { expected: [/./] })
    reader = await join(browser, operator.page, org.slug, 'read_only', { expected: [/./] })
  })
  after(() => browser?.close())

  test('the developer may change what the reader only sees', async () => {
    for (const [who, may] of [[developer, true], [reader, false]]) {
      await who.page.goto(`${url}/p/${project.ref}/keys`)
      const create = who.page.getByRole('button', { name: 'Create key' }).first()
      await create.waitFor()
      await who.page.waitForLoadState('networkidle')
      assert.equal(await create.isEnabled(), may, 'a developer makes keys')
      await who.page.goto(`${url}/p/${project.ref}/branches`)
      await who.page.locator('h1').first().waitFor()
      await who.page.waitForLoadState('networkidle')
      const branch = who.page.getByRole('button', { name: /Create branch/ }).first()
      assert.equal((await branch.count()) > 0 && (await branch.isEnabled()), false, 'neither makes branches')
      await who.page.goto(`${url}/p/${project.ref}/users`)
      await who.page.locator('h1').first().waitFor()
      await who.page.waitForLoadState('networkidle')
      const add = who.page.getByRole('button', { name: /Create user/ }).first()
      assert.equal((await add.count()) > 0 && (await add.isEnabled()), may, 'a developer makes users')
    }
  })

  test('what neither may see says so', async () => {
    await reader.page.goto(`${url}/operator`)
    await reader.page.getByText(/not|No such/i).first().waitFor()
    assert.doesNotMatch(await reader.page.locator('main').innerText(), /Two roles/)
    for (const path of [`/p/${'z'.repeat(20)}`, '/orgs/nobody-has-this']) {
      await reader.page.goto(url + path)
      await reader.page.locator('h1, h2').first().waitFor()
      assert.doesNotMatch(await reader.page.locator('main').innerText(), /Shared/)
    }
  })

  test('a role that is lost meanwhile refuses the change, and keeps what was typed', async () => {
    const { page } = developer
    await page.goto(`${url}/p/${project.ref}/auth/passwords`)
    const field = page.getByLabel('Least length')
    await field.fill('14')
    await call(operator.page, 'PATCH', `/v1/organizations/${org.slug}/members/${developer.id}`, { role: 'read_only' })
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('alert').first().waitFor()
    assert.equal(await field.inputValue(), '14')
    assert.deepEqual(developer.complaints, [])
  })

  test('a member who is removed sees nothing any more', async () => {
    await operator.page.evaluate(([slug, id]) => fetch(`/v1/organizations/${slug}/members/${id}`, { method: 'DELETE' }), [org.slug, reader.id])
    await reader.page.goto(`${url}/p/${project.ref}`)
    await reader.page.locator('h1, h2').first().waitFor()
    assert.doesNotMatch(await reader.page.locator('main').innerText(), /Shared/)
    assert.deepEqual(reader.complaints, [])
  })
})
