// A Reeve project of its own for each test: copy this file into your tests. It
// needs nothing but fetch. Each project has a time to live, so that the projects of
// a run that was killed delete themselves.

/**
 * Returns a client of the Management API that makes projects.
 *
 * @param {object} [options]
 * @param {string} [options.url] of Reeve; REEVE_URL by default
 * @param {string} [options.token] an access token; REEVE_ACCESS_TOKEN by default
 * @param {string} [options.organization] the slug; the token's first organization by default
 * @param {string} [options.ttl] after what time a project deletes itself, "1m" to "720h"
 */
export function reeve({ url = process.env.REEVE_URL, token = process.env.REEVE_ACCESS_TOKEN, organization, ttl = '15m' } = {}) {
  if (!url || !token) throw new Error('set REEVE_URL and REEVE_ACCESS_TOKEN, or pass url and token')
  const base = url.replace(/\/+$/, '')

  /** Sends a request to the Management API; throws unless the answer is 2xx. */
  async function manage(method, path, body) {
    const res = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    })
    const text = await res.text()
    if (res.ok) return text ? JSON.parse(text) : undefined
    let refusal = {}
    try {
      refusal = JSON.parse(text)
    } catch {
      // Not from Reeve.
    }
    throw Object.assign(new Error(`${method} ${path}: ${res.status} ${refusal.message ?? text}`), { status: res.status, code: refusal.code })
  }

  let home
  const slug = () => (home ??= organization ? Promise.resolve(organization) : manage('GET', '/v1/organizations').then(first))
  function first([one]) {
    if (!one) throw new Error('the token has no organization')
    return one.slug
  }

  /** Waits until a project's database is ready; only needed when no warm one was left. */
  async function ready(ref) {
    for (;;) {
      const { status } = await manage('GET', `/v1/projects/${ref}`)
      if (status === 'ACTIVE_HEALTHY') return
      if (status !== 'COMING_UP') throw new Error(`project ${ref} is ${status}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  /**
   * Makes a project: {ref, url, publishable_key, secret_key, db_url, expires_at}.
   *
   * @param {object} [options]
   * @param {string} [options.name]
   * @param {string} [options.ttl]
   * @param {object} [options.config] of auth, as in PATCH /v1/projects/{ref}/config/auth
   */
  async function create({ name = 'test', ttl: own = ttl, config } = {}) {
    const made = await manage('POST', '/v1/projects?reveal=true', { name, organization_slug: await slug(), ttl: own })
    if (made.status === 'COMING_UP') await ready(made.ref)
    if (config) await manage('PATCH', `/v1/projects/${made.ref}/config/auth`, config)
    return made
  }

  /** Deletes a project. One that is gone already is no error. */
  async function remove(project) {
    try {
      await manage('DELETE', `/v1/projects/${project.ref}`)
    } catch (error) {
      if (error.status !== 404) throw error
    }
  }

  /** Makes a project for a test of node:test (or anything with after()), and deletes it after the test. */
  async function projectFor(t, options = {}) {
    const made = await create({ name: t.name?.slice(0, 200) || 'test', ...options })
    t.after(() => remove(made))
    return made
  }

  return { manage, create, remove, projectFor }
}
