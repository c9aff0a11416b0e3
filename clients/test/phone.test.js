// Sign-up and sign-in by phone: messages are captured, and some numbers have fixed codes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect } from '../lib/client.js'
import { ok, password, refused } from '../lib/expect.js'
import { Inbox } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

const fixed = '15550001111'
let project, inbox
before(async () => {
  project = await createProject('phones', {
    external_phone_enabled: true, external_anonymous_users_enabled: true, sms_autoconfirm: false, sms_max_frequency: 0,
    sms_test_otp: `${fixed}=123456`,
  })
  inbox = new Inbox(project)
})
after(() => deleteProject(project))

let last = 0
const freshNumber = () => `49170${1000000 + last++}`
const kind = 'path'

test('sign-up by phone, resend, verification, sign-in by password', async () => {
  const phone = freshNumber()
  const sb = connect(project, kind)
  const { user, session } = ok(await sb.auth.signUp({ phone, password }))
  assert.equal(user.phone, phone)
  assert.equal(session, null)
  await inbox.next(phone)
  ok(await sb.auth.resend({ type: 'sms', phone }))
  const { code } = await inbox.next(phone)
  const signedUp = ok(await sb.auth.verifyOtp({ phone, token: code, type: 'sms' }))
  assert.equal(signedUp.user.phone, phone)
  const again = ok(await connect(project, kind).auth.signInWithPassword({ phone, password }))
  assert.equal(again.user.id, signedUp.user.id)
})

test('sign-in by a code, with a captured message and with a fixed code', async () => {
  for (const phone of [freshNumber(), fixed]) {
    const sb = connect(project, kind)
    const { messageId } = ok(await sb.auth.signInWithOtp({ phone }))
    assert.ok(messageId)
    const token = phone === fixed ? '123456' : (await inbox.next(phone)).code
    refused(await sb.auth.verifyOtp({ phone, token: '000000', type: 'sms' }), 403, 'otp_expired')
    const { session } = ok(await sb.auth.verifyOtp({ phone, token, type: 'sms' }))
    assert.equal(session.user.phone, phone)
  }
})

test('an anonymous user becomes one with a number', async () => {
  const phone = freshNumber()
  const sb = connect(project, kind)
  const { user } = ok(await sb.auth.signInAnonymously())
  ok(await sb.auth.updateUser({ phone }))
  const { code } = await inbox.next(phone)
  const changed = ok(await sb.auth.verifyOtp({ phone, token: code, type: 'phone_change' }))
  assert.equal(changed.user.id, user.id)
  assert.equal(changed.user.phone, phone)
  assert.equal(changed.user.is_anonymous, false)
})

test('a number changes to another one, which only the code to the new one proves', async () => {
  const phone = freshNumber(), next = freshNumber()
  const sb = connect(project, kind)
  ok(await sb.auth.signUp({ phone, password }))
  const { user } = ok(await sb.auth.verifyOtp({ phone, token: (await inbox.next(phone)).code, type: 'sms' }))
  const pending = ok(await sb.auth.updateUser({ phone: next })).user
  assert.equal(pending.phone, phone)
  assert.equal(pending.new_phone, next)
  const { code } = await inbox.next(next)
  refused(await sb.auth.verifyOtp({ phone, token: code, type: 'phone_change' }), 403, 'otp_expired')
  refused(await sb.auth.verifyOtp({ phone: next, token: code, type: 'sms' }), 403, 'otp_expired')
  const changed = ok(await sb.auth.verifyOtp({ phone: next, token: code, type: 'phone_change' }))
  assert.equal(changed.user.id, user.id)
  assert.equal(changed.user.phone, next)
  assert.equal(ok(await sb.auth.getUser()).user.phone, next)
  refused(await connect(project, kind).auth.signInWithPassword({ phone, password }), 400, 'invalid_credentials')
  assert.equal(ok(await connect(project, kind).auth.signInWithPassword({ phone: next, password })).user.id, user.id)
  refused(await sb.auth.verifyOtp({ phone: next, token: code, type: 'phone_change' }), 403, 'otp_expired')
})
