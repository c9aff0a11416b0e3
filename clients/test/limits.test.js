// Limits, as the client sees them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../lib/client.js'
import { freshEmail, ok, password, refused } from '../lib/expect.js'
import { Inbox, verifyLink } from '../lib/mail.js'
import { createProject, deleteProject } from '../lib/reeve.js'

/** Runs a test in a project of its own. */
function limited(name, config, run) {
  test(name, async () => {
    const project = await createProject('limits', config)
    try {
      await run(project)
    } finally {
      await deleteProject(project)
    }
  })
}

/** The last answer tells when to come again. */
function retryAfter(sb) {
  const seconds = Number(sb.requests.at(-1).headers.get('retry-after'))
  assert.ok(Number.isInteger(seconds) && seconds > 0, `Retry-After: ${sb.requests.at(-1).headers.get('retry-after')}`)
}

limited('the fourth of three sign-ups', { rate_limit_otp: 3 }, async (project) => {
  const sb = connect(project)
  for (let i = 0; i < 3; i++) ok(await sb.auth.signUp({ email: freshEmail(), password }))
  refused(await sb.auth.signUp({ email: freshEmail(), password }), 429, 'over_request_rate_limit')
  retryAfter(sb)
  // Another address leads to the same project, and the same limit.
  refused(await connect(project, 'host').auth.signUp({ email: freshEmail(), password }), 429, 'over_request_rate_limit')
  // Other routes have separate buckets.
  ok(await sb.auth.resetPasswordForEmail(freshEmail()))

  const other = await createProject('no limits')
  try {
    ok(await connect(other).auth.signUp({ email: freshEmail(), password }))
  } finally {
    await deleteProject(other)
  }
})

limited('a second mail too soon', { smtp_max_frequency: 60 }, async (project) => {
  const sb = connect(project)
  const email = freshEmail()
  ok(await sb.auth.signUp({ email, password }))
  refused(await sb.auth.signUp({ email, password }), 429, 'over_email_send_rate_limit')
  retryAfter(sb)
  refused(await sb.auth.resend({ type: 'signup', email }), 429, 'over_email_send_rate_limit')
  ok(await sb.auth.signUp({ email: freshEmail(), password }))
})

limited('the third of two mails in an hour', { rate_limit_email_sent: 2 }, async (project) => {
  const sb = connect(project)
  for (let i = 0; i < 2; i++) ok(await sb.auth.signUp({ email: freshEmail(), password }))
  refused(await sb.auth.signUp({ email: freshEmail(), password }), 429, 'over_email_send_rate_limit')
  retryAfter(sb)
})

limited('too many sign-ins', { rate_limit_token_refresh: 3 }, async (project) => {
  const sb = connect(project)
  const attempt = () => sb.auth.signInWithPassword({ email: freshEmail(), password })
  for (let i = 0; i < 3; i++) refused(await attempt(), 400, 'invalid_credentials')
  refused(await attempt(), 429, 'over_request_rate_limit')
  retryAfter(sb)
})

limited('too many codes', { rate_limit_verify: 3 }, async (project) => {
  const sb = connect(project)
  const attempt = () => sb.auth.verifyOtp({ email: freshEmail(), token: '000000', type: 'email' })
  for (let i = 0; i < 3; i++) refused(await attempt(), 403, 'otp_expired')
  refused(await attempt(), 429, 'over_request_rate_limit')
  retryAfter(sb)
})

// After too many wrong codes the right one is refused as a wrong one, and the
// link in the same mail still works.
limited('guessing one address\'s code', {}, async (project) => {
  const sb = connect(project)
  const email = freshEmail()
  const inbox = new Inbox(project)
  ok(await sb.auth.signUp({ email, password }))
  const mail = await inbox.next(email)
  const codes = Array.from({ length: 12 }, (_, i) => String(100000 + i)).filter((code) => code !== mail.code)
  for (const token of [...codes, mail.code]) refused(await sb.auth.verifyOtp({ email, token, type: 'signup' }), 403, 'otp_expired')
  ok(await sb.auth.verifyOtp({ token_hash: new URL(verifyLink(mail)).searchParams.get('token'), type: 'signup' }))
})
