// Two projects whose users come by an enterprise connection, in a browser.
import assert from 'node:assert/strict'
import { App } from './app.js'
import { Browser } from './chromium.js'
import { createProject, deleteProject } from './reeve.js'

/** The domain of the connections. */
export const domain = 'acme.example'
const logins = ['ada', 'ben', 'cleo', 'dora', 'emil', 'fay', 'gus', 'hal', 'ivy', 'joe', 'kim']

/** Who can log in at the provider. */
export const people = Object.fromEntries(
  logins.map((login) => [login, { password: login, email: `${login}@${domain}`, name: `${login} Smith`, groups: ['staff', `group-${login}`] }]),
)

/** Calls the admin API of a project. */
export async function administer(project, method, path, body) {
  const res = await fetch(`${project.url}/auth/v1${path}`, {
    method, headers: { apikey: project.secret_key, 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  })
  const text = await res.text()
  assert.ok(res.ok, `${method} ${path}: ${res.status} ${text}`)
  return JSON.parse(text)
}

/** What usable gives for a session that has ended. */
export const gone = 'AuthSessionMissingError'

/** Asks the project whether the session of a page is usable. */
export const usable = (page) => page.value('client.auth.getUser().then(({ error }) => error?.name ?? "usable")')

/** The causes of the ends of a user's sessions in a project. */
export const ends = async (project, user) => (await administer(project, 'GET', `/admin/users/${user.id}/sessions`)).ended.map(({ cause }) => cause)

/** Two projects, an app and a browser; idp is the identity provider that both projects have as a connection. */
export class World {
  async open(name) {
    this.app = await App.open()
    const config = { site_url: this.app.origin, uri_allow_list: `${this.app.origin}/**`, saml_enabled: true }
    ;[this.a, this.b] = [await createProject(`${name} a`, config), await createProject(`${name} b`, config)]
    this.browser = await Browser.open()
  }

  async close() {
    await this.browser?.close()
    await this.idp?.stop()
    this.app?.close()
    for (const project of [this.a, this.b]) if (project) await deleteProject(project)
  }

  /** Presses the app's button, and waits until the provider has the page. */
  async begin(page, project, flow) {
    const call = JSON.stringify({ domain, options: { redirectTo: this.app.address(project, flow) } })
    const { error } = await page.value(`client.auth.signInWithSSO(${call}).then(({ error }) => ({ error: error?.message }))`).catch(() => ({})) // the page was left
    assert.ok(!error, error)
    await page.until(`location.origin === ${JSON.stringify(this.idp.url)} && document.readyState === "complete"`)
  }

  /** Signs in from a window of somebody's, and gives what the app has then. */
  async signIn(login, project, flow, somebody) {
    const page = await this.app.visit(somebody ?? (await this.browser.another()), project, flow)
    await this.begin(page, project, flow)
    await this.idp.login(page, login, people[login].password)
    return { page, ...(await this.app.begun(page)) }
  }

  /** Signs in from a window of somebody whom the provider knows already. */
  async signInAgain(login, project, flow, somebody) {
    const page = await this.app.visit(somebody, project, flow)
    const call = JSON.stringify({ domain, options: { redirectTo: this.app.address(project, flow) } })
    await page.value(`client.auth.signInWithSSO(${call}).then(() => true)`).catch(() => true)
    await page.until('typeof events === "object" && events.includes("SIGNED_IN")')
    return { page, ...(await this.app.begun(page)) }
  }

  /** Signs out as an app does that wants the provider to know, and waits until the browser is back; alone says that the provider has nobody else to tell. */
  async signOut(page, project, { alone = false } = {}) {
    const url = await this.signingOut(page, project)
    if (!alone) await this.idp.through?.(page)
    await this.back(page, project)
    return url
  }

  /** The same, up to the provider's page: its address. */
  async signingOut(page, project) {
    const query = new URLSearchParams({ scope: 'local', single_logout: true, redirect_to: this.#out(project) })
    const url = await page.value(`client.auth.getSession().then(async ({ data }) => {
      const headers = { apikey: ${JSON.stringify(project.publishable_key)}, authorization: 'Bearer ' + data.session.access_token }
      const res = await fetch(${JSON.stringify(`${project.url}/auth/v1/logout?${query}`)}, { method: 'POST', headers })
      return (await res.json()).url
    })`)
    await page.go(url)
    return url
  }

  /** Waits until the browser is back from a sign-out. */
  back(page, project) {
    return page.until(`location.href === ${JSON.stringify(this.#out(project))} && typeof began === "object"`)
  }

  #out(project) {
    return `${this.app.address(project, 'implicit')}?out`
  }
}
