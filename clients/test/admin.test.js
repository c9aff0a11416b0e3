// A server with the secret key.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kinds, open } from '../lib/address.js'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password, refused, sessionOf } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let project, inbox
before(async () => {
  project = await createProject('admin')
  inbox = new Inbox(project)
})
after(() => deleteProject(project))

for (const kind of kinds) {
  describe(`over the ${kind} address`, () => {
    let admin
    before(() => {
      admin = connectAdmin(project, kind).auth.admin
    })

    async function created(attributes = {}) {
      const { user } = ok(await admin.createUser({ email: freshEmail(), password, email_confirm: true, ...attributes }))
      return user
    }

    async function signedIn(user) {
      const sb = connect(project, kind)
      ok(await sb.auth.signInWithPassword({ email: user.email, password }))
      return sb
    }

    test('a created user has the metadata that was given', async () => {
      const user = await created({ user_metadata: { a: 1 }, app_metadata: { plan: 'pro' } })
      assert.equal(user.user_metadata.a, 1)
      assert.deepEqual(user.app_metadata, { plan: 'pro', provider: 'email', providers: ['email'] })
      assert.ok(user.email_confirmed_at)
      const read = ok(await admin.getUserById(user.id)).user
      assert.equal(read.email, user.email)
      assert.equal(read.user_metadata.a, 1)
      refused(await admin.createUser({ email: user.email, password }), 422, 'email_exists')
    })

    test('a user without confirmation cannot sign in, one with an id keeps it', async () => {
      const id = crypto.randomUUID()
      const user = await created({ email_confirm: false, id })
      assert.equal(user.id, id)
      refused(await connect(project, kind).auth.signInWithPassword({ email: user.email, password }), 400, 'email_not_confirmed')
    })

    test('a bcrypt hash from elsewhere works as a password', async () => {
      const user = await created({
        password: undefined,
        password_hash: '$2b$10$cPfdUTjVR6yU9xweEjMZT.18HaFAIWs4rk1djhX9OvcCY3fz.pqcm', // of lib/expect.js' password
      })
      await signedIn(user)
    })

    test('users are listed by page', async () => {
      for (let i = 0; i < 3; i++) await created()
      const { total } = ok(await admin.listUsers({ page: 1, perPage: 1 }))
      assert.ok(total >= 3)
      // Three pages: the client reads one digit of the last page's number.
      const perPage = Math.ceil(total / 3)
      const first = ok(await admin.listUsers({ page: 1, perPage }))
      assert.equal(first.users.length, perPage)
      assert.equal(first.total, total)
      assert.equal(first.nextPage, 2)
      assert.equal(first.lastPage, Math.ceil(total / perPage))
      const seen = new Set()
      for (let page = 1; page <= first.lastPage; page++) {
        for (const u of ok(await admin.listUsers({ page, perPage })).users) seen.add(u.id)
      }
      assert.equal(seen.size, total, 'every user once')
      assert.equal(ok(await admin.listUsers({ page: first.lastPage + 1, perPage })).users.length, 0)
    })

    test('an update changes what is given', async () => {
      const user = await created()
      const email = freshEmail('moved')
      const { user: changed } = ok(
        await admin.updateUserById(user.id, {
          email,
          password: 'set by admin 4',
          email_confirm: true,
          user_metadata: { b: 2 },
          app_metadata: { plan: 'free' },
        }),
      )
      assert.equal(changed.email, email)
      assert.equal(changed.user_metadata.b, 2)
      assert.equal(changed.app_metadata.plan, 'free')
      const sb = connect(project, kind)
      ok(await sb.auth.signInWithPassword({ email, password: 'set by admin 4' }))
    })

    test('a banned user is out at once, until the ban is lifted', async () => {
      const user = await created()
      const sb = await signedIn(user)
      const banned = ok(await admin.updateUserById(user.id, { ban_duration: '24h' })).user
      assert.ok(Date.parse(banned.banned_until) > Date.now())
      refused(await connect(project, kind).auth.signInWithPassword({ email: user.email, password }), 400, 'user_banned')
      refused(await sb.auth.getUser(), 403, 'user_banned')
      refused(await sb.auth.refreshSession(), 400, 'user_banned')
      ok(await admin.updateUserById(user.id, { ban_duration: 'none' }))
      await signedIn(user)
    })

    test('a deleted user is gone', async () => {
      const user = await created()
      const sb = await signedIn(user)
      ok(await admin.deleteUser(user.id))
      refused(await admin.getUserById(user.id), 404, 'user_not_found')
      assert.equal((await sb.auth.getUser()).error?.status, 403)
      refused(await admin.deleteUser(user.id), 404, 'user_not_found')
      await created({ email: user.email })
    })

    test('a softly deleted user leaves the row and frees the address', async () => {
      const user = await created({ user_metadata: { secret: 'x' } })
      const sb = await signedIn(user)
      ok(await admin.deleteUser(user.id, true))
      refused(await connect(project, kind).auth.signInWithPassword({ email: user.email, password }), 400, 'invalid_credentials')
      assert.ok((await sb.auth.getUser()).error)
      const left = (await admin.getUserById(user.id)).data.user
      assert.notEqual(left?.email, user.email)
      assert.equal(left?.user_metadata?.secret, undefined)
      const next = await created({ email: user.email })
      assert.notEqual(next.id, user.id)
    })

    test('an invitation is accepted by its link', async () => {
      const email = freshEmail('invited')
      const { user } = ok(
        await admin.inviteUserByEmail(email, { data: { team: 't' }, redirectTo: 'http://localhost:3000/join' }),
      )
      assert.ok(user.invited_at)
      assert.equal(user.user_metadata.team, 't')
      const res = await open(verifyLink(await inbox.next(email)))
      assert.ok(res.location.startsWith('http://localhost:3000/join#'), res.location)
      assert.equal(res.fragment.get('type'), 'invite')
      const sb = connect(project, kind)
      ok(await sb.auth.setSession(sessionOf(res)))
      ok(await sb.auth.updateUser({ password }))
      await signedIn({ email })
      refused(await admin.inviteUserByEmail(email), 422, 'email_exists')
    })

    test('an invitation is accepted by its code', async () => {
      const email = freshEmail('invited')
      ok(await admin.inviteUserByEmail(email))
      const { session } = ok(
        await connect(project, kind).auth.verifyOtp({ email, token: (await inbox.next(email)).code, type: 'invite' }),
      )
      assert.equal(session.user.email, email)
    })

    for (const type of ['signup', 'invite', 'magiclink', 'recovery']) {
      test(`a generated ${type} link works by its hash, its code and itself`, async () => {
        const ways = {
          hash: (p) => connect(project, kind).auth.verifyOtp({ token_hash: p.hashed_token, type: p.verification_type }),
          code: (p, email) => connect(project, kind).auth.verifyOtp({ email, token: p.email_otp, type: p.verification_type }),
          link: async (p) => {
            const res = await open(p.action_link)
            assert.ok(res.location.startsWith('http://localhost:3000/go#'), res.location)
            return connect(project, kind).auth.setSession(sessionOf(res))
          },
        }
        for (const [way, redeem] of Object.entries(ways)) {
          const known = type === 'magiclink' || type === 'recovery'
          const email = known ? (await created()).email : freshEmail(type)
          const { user, properties } = ok(
            await admin.generateLink({
              type,
              email,
              ...(type === 'signup' && { password }),
              options: { redirectTo: 'http://localhost:3000/go' },
            }),
          )
          assert.equal(properties.verification_type, type)
          assert.equal(properties.redirect_to, 'http://localhost:3000/go')
          assert.match(properties.email_otp, /^\d{6}$/)
          const { session } = ok(await redeem(properties, email))
          assert.equal(session.user.id, user.id, way)
          assert.ok(!(await inbox.list()).some((m) => m.to === email), 'nothing is mailed')
        }
      })
    }

    test('generated links change an address when both are followed', async () => {
      const user = await created()
      const newEmail = freshEmail('new')
      const links = []
      for (const type of ['email_change_current', 'email_change_new']) {
        const { properties } = ok(await admin.generateLink({ type, email: user.email, newEmail }))
        assert.equal(properties.verification_type, type)
        links.push(properties)
      }
      for (const { hashed_token: token_hash } of links) {
        assert.equal(ok(await admin.getUserById(user.id)).user.email, user.email)
        const { error } = await connect(project, kind).auth.verifyOtp({ token_hash, type: 'email_change' })
        assert.equal(error, null, error?.message)
      }
      assert.equal(ok(await admin.getUserById(user.id)).user.email, newEmail)
    })

    test('a recovery link for nobody is refused', async () => {
      refused(await admin.generateLink({ type: 'recovery', email: freshEmail() }), 404, 'user_not_found')
    })

    test('the admin signs a user out', async () => {
      const user = await created()
      const a = await signedIn(user)
      const b = await signedIn(user)
      const { session } = ok(await a.auth.getSession())
      assert.equal((await admin.signOut(session.access_token, 'global')).error, null)
      assert.equal((await a.auth.getUser()).error?.name, 'AuthSessionMissingError')
      assert.equal((await b.auth.getUser()).error?.name, 'AuthSessionMissingError')
    })

    test('the publishable key and users may do none of this', async () => {
      const user = await created()
      const sb = connect(project, kind)
      const anonymous = await sb.auth.admin.listUsers()
      refused(anonymous, 401, 'no_authorization')
      refused(await sb.auth.admin.deleteUser(user.id), 401, 'no_authorization')
      const token = ok(await (await signedIn(user)).auth.getSession()).session.access_token
      const asUser = connect(project, kind)
      asUser.auth.admin.headers.Authorization = `Bearer ${token}`
      refused(await asUser.auth.admin.listUsers(), 403, 'not_admin')
      ok(await admin.getUserById(user.id))
    })
  })
}
