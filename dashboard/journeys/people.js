// People of the dashboard: what is mailed to them, and members who are invited.
import { setTimeout as sleep } from 'node:timers/promises'
import { open, url } from './browser.js'
import { password } from './world.js'

/** Calls the Management API with the session of a page. */
export const call = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const response = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.json()
    },
    [method, path, body],
  )

/** The newest link that was mailed to an address, after some number of mails. */
export async function mailedLink(operator, to, seen = 0) {
  for (let i = 0; i < 100; i++, await sleep(100)) {
    const mails = (await call(operator, 'GET', '/v1/operator/inbox?limit=1000')).filter((m) => m.to === to)
    if (mails.length > seen) return { mail: mails[0], href: mails[0].links?.find((l) => /token/.test(l)), count: mails.length }
  }
  throw new Error(`no mail to ${to}`)
}

/** A new person who joins an organization in a role, signed in in a browser context of their own. */
export async function join(browser, operator, slug, role, options) {
  const email = `${role}.${Date.now()}@example.com`
  await call(operator, 'POST', `/v1/organizations/${slug}/invitations`, { email, role })
  const { href } = await mailedLink(operator, email)
  const guest = await open(browser, options)
  await guest.page.goto(href)
  await guest.page.getByLabel('Your name').fill(`A ${role}`)
  await guest.page.getByLabel('Password').fill(password)
  await guest.page.getByRole('button', { name: 'Make an account and join' }).click()
  await guest.page.waitForURL(`${url}/orgs/${slug}`)
  return { ...guest, email, id: await guest.page.evaluate(() => fetch('/dashboard/session').then((r) => r.json()).then((s) => s.user.id)) }
}
