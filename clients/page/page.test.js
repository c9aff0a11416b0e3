// The page of `reeve dev` and the page that links in mails lead to, in a browser.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { Browser } from '../lib/chromium.js'
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

  test('the link of the banner shows the projects, once', async () => {
    const { email } = await signUp()
    const page = await browser.visit(link)
    await page.until('location.pathname === "/" && document.querySelector("article")')
    assert.equal(await page.value('location.search + location.hash'), '')
    const text = await page.value('document.body.textContent') // with what is folded
    for (const part of [project.url, project.publishable_key, `sb-${project.ref}-auth-token`, email]) assert.ok(text.includes(part), `no ${part} in ${text}`)
    assert.equal(await page.value('document.cookie'), '', 'no script reads the cookie')

    const again = await browser.visit(link)
    await again.until('document.querySelector("[role=alert]")')
    assert.match(await again.text(), /was used or has expired/)
  })

  test('a captured mail opens a link that ends at a page', async () => {
    const { email, mail } = await signUp()
    refused(await connect(project).auth.signInWithPassword({ email, password }), 400, 'email_not_confirmed')
    const inbox = await browser.visit(new URL(`/dev/inbox/${project.ref}/${mail.id}`, link).href)
    await inbox.until('document.querySelector("a.button")')
    assert.equal(await inbox.value('document.querySelector("a.button").href'), verifyLink(mail))

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

  test('no page broke its own policy', () => assert.deepEqual(browser.complaints, []))
})
