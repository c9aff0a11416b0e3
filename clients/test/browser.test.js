// Two projects in one browser: one local storage and one cookie jar, as the
// pages of one origin have them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addresses } from '../lib/address.js'
import { connect, connectAdmin, memory, nodeRealtime, packageName } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let a, b
before(async () => {
  a = await createProject('browser a')
  b = await createProject('browser b')
})
after(async () => {
  await deleteProject(a)
  await deleteProject(b)
})

// What Reeve's snippets set.
const storageKey = (project) => `sb-${project.ref}-auth-token`

async function userOf(project, email = freshEmail()) {
  return ok(await connectAdmin(project).auth.admin.createUser({ email, password, email_confirm: true })).user
}

const signIn = async (client, { email }) => ok(await client.auth.signInWithPassword({ email, password }))
const sessionOf = async (client) => ok(await client.auth.getSession()).session

describe('supabase-js', () => {
  test('without a storage key, a path address shows the session of the other project', async () => {
    const storage = memory()
    const ada = await userOf(a)
    await signIn(connect(a, 'path', { storage }), ada)

    const page = connect(b, 'path', { storage })
    assert.equal((await sessionOf(page)).user.id, ada.id, 'a user that project b does not have')
    const error = refused(await page.auth.getUser(), 401, 'bad_jwt')
    assert.match(error.message, /belongs to another project/)
  })

  test('without a storage key, signing in to one project signs out of the other', async () => {
    const storage = memory()
    const [ada, ben] = [await userOf(a), await userOf(b)]
    await signIn(connect(a, 'path', { storage }), ada)
    await signIn(connect(b, 'path', { storage }), ben)
    assert.equal((await sessionOf(connect(a, 'path', { storage }))).user.id, ben.id)
  })

  for (const [name, kind, options] of [
    ['with the storage key of the snippet', 'path', (project) => ({ storageKey: storageKey(project) })],
    ['with a host address', 'host', () => ({})],
  ]) {
    test(`${name}, each project has its own session`, async () => {
      const storage = memory()
      const open = (project) => connect(project, kind, { storage, ...options(project) })
      const [ada, ben] = [await userOf(a), await userOf(b)]
      await signIn(open(a), ada)
      assert.equal(await sessionOf(open(b)), null)
      await signIn(open(b), ben)
      for (const [project, user] of [[a, ada], [b, ben]]) {
        assert.equal((await sessionOf(open(project))).user.id, user.id)
        assert.equal(ok(await open(project).auth.getUser()).user.id, user.id)
      }
      ok(await open(a).auth.signOut())
      assert.equal(await sessionOf(open(a)), null)
      assert.equal((await sessionOf(open(b))).user.id, ben.id, 'signing out of the one leaves the other')
    })
  }

  test('the key of the snippet is the default of a host address', async () => {
    const storage = memory()
    const ada = await userOf(a)
    await signIn(connect(a, 'host', { storage }), ada)
    assert.equal((await sessionOf(connect(a, 'path', { storage, storageKey: storageKey(a) }))).user.id, ada.id)
  })
})

// @supabase/ssr brings the newest supabase-js: once is enough.
describe('@supabase/ssr', { skip: packageName !== '@supabase/supabase-js' }, () => {
  let ssr
  before(async () => {
    ssr = await import('@supabase/ssr')
  })

  /** A client for one request of a browser that has this jar. */
  function request(project, jar, options = {}) {
    return ssr.createServerClient(addresses.path(project), project.publishable_key, {
      cookies: {
        getAll: () => [...jar].map(([name, value]) => ({ name, value })),
        setAll: (all) => {
          for (const { name, value, options } of all) {
            if (options.maxAge === 0) jar.delete(name)
            else jar.set(name, value)
          }
        },
      },
      ...(nodeRealtime && { realtime: nodeRealtime }),
      ...options,
    })
  }

  test('without a cookie name, a path address shows the session of the other project', async () => {
    const jar = new Map()
    const ada = await userOf(a)
    await signIn(request(a, jar), ada)
    assert.equal((await sessionOf(request(b, jar))).user.id, ada.id)
    refused(await request(b, jar).auth.getUser(), 401, 'bad_jwt')
  })

  test('with the cookie name of the snippet, each project has its own session', async () => {
    const jar = new Map()
    const open = (project) => request(project, jar, { cookieOptions: { name: storageKey(project) } })
    const [ada, ben] = [await userOf(a), await userOf(b)]
    await signIn(open(a), ada)
    assert.equal(await sessionOf(open(b)), null)
    await signIn(open(b), ben)
    assert.ok([...jar.keys()].every((name) => name.startsWith(storageKey(a)) || name.startsWith(storageKey(b))), [...jar.keys()].join())
    for (const [project, user] of [[a, ada], [b, ben]]) {
      assert.equal(ok(await open(project).auth.getUser()).user.id, user.id)
    }
    ok(await open(a).auth.signOut())
    assert.equal(await sessionOf(open(a)), null)
    assert.equal((await sessionOf(open(b))).user.id, ben.id)
  })

  test("the browser's client reads the cookie that the server's wrote", async () => {
    const jar = new Map()
    const ada = await userOf(a)
    const cookieOptions = { name: storageKey(a) }
    await signIn(request(a, jar, { cookieOptions }), ada)
    const page = ssr.createBrowserClient(addresses.path(a), a.publishable_key, {
      isSingleton: false,
      cookieOptions,
      cookies: { getAll: () => [...jar].map(([name, value]) => ({ name, value })), setAll: () => {} },
      ...(nodeRealtime && { realtime: nodeRealtime }),
    })
    assert.equal((await sessionOf(page)).user.id, ada.id)
  })
})

describe("a project that is shown another's session", () => {
  test('refuses its tokens, whoever sends them', async () => {
    const { session } = await signIn(connect(a), await userOf(a))
    for (const kind of ['path', 'host', 'key']) {
      const res = await fetch(`${addresses[kind](b)}/auth/v1/user`, {
        headers: { apikey: b.publishable_key, authorization: `Bearer ${session.access_token}` },
      })
      const body = await res.json()
      assert.deepEqual({ status: res.status, code: body.error_code }, { status: 401, code: 'bad_jwt' }, kind)
      assert.match(body.msg, /belongs to another project/)
    }
    refused(await connect(b).auth.refreshSession({ refresh_token: session.refresh_token }), 400, 'refresh_token_not_found')
    assert.ok(ok(await connect(a).auth.refreshSession({ refresh_token: session.refresh_token })).session, 'which does not end the session')
  })
})
