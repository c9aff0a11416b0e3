// Passkeys by the stock client in a browser, whose authenticator is the browser's
// own virtual one.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { App } from '../lib/app.js'
import { Browser } from '../lib/chromium.js'
import { connectAdmin } from '../lib/client.js'
import { claimsOf, freshEmail, password } from '../lib/expect.js'
import { configure, createProject, deleteProject } from '../lib/reeve.js'

// Browsers make passkeys for localhost, and not for an IP address.
const named = (address) => address.replace('127.0.0.1', 'localhost')

let app, project, browser, page, authenticatorId
before(async () => {
  app = await App.open()
  project = await createProject('passkeys', { site_url: named(app.origin), mailer_autoconfirm: true, passkey_enabled: true })
  browser = await Browser.open()
  page = await browser.visit(named(app.address(project, 'implicit')))
  await page.until('typeof client === "object"')
  await page.send('WebAuthn.enable', { enableUI: false })
  await plugIn('internal')
})
/** Gives the browser another authenticator: one of the device, or a key at a port. */
async function plugIn(transport) {
  if (authenticatorId) await page.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
  const options = { protocol: 'ctap2', transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true }
  ;({ authenticatorId } = await page.send('WebAuthn.addVirtualAuthenticator', { options }))
}
after(async () => {
  await browser?.close()
  app?.close()
  await deleteProject(project)
})

/** Calls the client in the page; {data, error} with what is told of an error. */
const call = (expression) =>
  page.value(`(async () => {
    const { data, error } = await client.auth.${expression}
    return { data, error: error && { code: error.code, name: error.name, message: error.message } }
  })()`)

async function done(expression) {
  const { data, error } = await call(expression)
  assert.equal(error, null, `${expression}: ${JSON.stringify(error)}`)
  return data
}

test('a passkey is added, signs in, is renamed and removed', async () => {
  const email = freshEmail()
  const { user } = await done(`signUp({ email: ${JSON.stringify(email)}, password: ${JSON.stringify(password)} })`)
  const created = await done('registerPasskey()')
  assert.deepEqual(await done('passkey.list()').then((list) => list.map(({ id }) => id)), [created.id])
  const { credentials } = await page.send('WebAuthn.getCredentials', { authenticatorId })
  assert.deepEqual(credentials.map(({ rpId, isResidentCredential }) => [rpId, isResidentCredential]), [['localhost', true]])

  await done('signOut()')
  const { session } = await done('signInWithPasskey()')
  assert.equal(session.user.id, user.id)
  const { aal, amr } = claimsOf(session.access_token)
  assert.deepEqual([aal, amr.map(({ method }) => method)], ['aal1', ['passkey']])
  await done('refreshSession()')

  const renamed = await done(`passkey.update({ passkeyId: ${JSON.stringify(created.id)}, friendlyName: 'Laptop' })`)
  assert.equal(renamed.friendly_name, 'Laptop')
  assert.ok(renamed.last_used_at)

  // The authenticator has one for this user, and makes no other.
  assert.equal((await call('registerPasskey()')).error.code, 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED')

  await configure(project, { passkey_aal2_enabled: true })
  await done('signOut()')
  assert.equal(claimsOf((await done('signInWithPasskey()')).session.access_token).aal, 'aal2')

  await done(`passkey.delete({ passkeyId: ${JSON.stringify(created.id)} })`)
  assert.deepEqual(await done('passkey.list()'), [])
  await done('signOut()')
  assert.equal((await call('signInWithPasskey()')).error.code, 'webauthn_verification_failed')
  await page.send('WebAuthn.clearCredentials', { authenticatorId })
})

test('an admin lists and removes the passkeys of a user', async () => {
  const { user } = await done(`signUp({ email: ${JSON.stringify(freshEmail())}, password: ${JSON.stringify(password)} })`)
  const created = await done('registerPasskey()')
  const { passkey } = connectAdmin(project).auth.admin
  const { data, error } = await passkey.listPasskeys({ userId: user.id })
  assert.equal(error, null)
  assert.deepEqual(data.map(({ id, backed_up }) => [id, backed_up]), [[created.id, false]])
  assert.equal((await passkey.deletePasskey({ userId: user.id, passkeyId: created.id })).error, null)
  await done('signOut()')
  assert.equal((await call('signInWithPasskey()')).error.code, 'webauthn_verification_failed')
  await page.send('WebAuthn.clearCredentials', { authenticatorId })
})

// The client asks for keys apart from the device, and for their attestation.
test('a key is a second factor', async () => {
  await plugIn('usb')
  await configure(project, { mfa_web_authn_enroll_enabled: true, mfa_web_authn_verify_enabled: true })
  const email = freshEmail()
  await done(`signUp({ email: ${JSON.stringify(email)}, password: ${JSON.stringify(password)} })`)
  await done(`mfa.webauthn.register({ friendlyName: 'Key' })`)
  const { all } = await done('mfa.listFactors()')
  assert.deepEqual(all.map((f) => [f.factor_type, f.status, f.friendly_name]), [['webauthn', 'verified', 'Key']])
  const levels = () => done('mfa.getAuthenticatorAssuranceLevel()').then(({ currentLevel, nextLevel }) => [currentLevel, nextLevel])
  assert.deepEqual(await levels(), ['aal2', 'aal2'])

  await done('signOut()')
  await done(`signInWithPassword({ email: ${JSON.stringify(email)}, password: ${JSON.stringify(password)} })`)
  assert.deepEqual(await levels(), ['aal1', 'aal2'])
  assert.equal((await call('registerPasskey()')).error.code, 'insufficient_aal')
  await done(`mfa.webauthn.authenticate({ factorId: ${JSON.stringify(all[0].id)} })`)
  assert.deepEqual(await levels(), ['aal2', 'aal2'])
  const { session } = await done('getSession()')
  assert.deepEqual(claimsOf(session.access_token).amr.map(({ method }) => method).sort(), ['mfa/webauthn', 'password'])
  await done(`mfa.unenroll({ factorId: ${JSON.stringify(all[0].id)} })`)
  await page.send('WebAuthn.clearCredentials', { authenticatorId })
})

test('pages of other origins are refused', async () => {
  await configure(project, { webauthn_rp_id: 'localhost', webauthn_rp_origins: 'https://elsewhere.localhost' })
  await done(`signUp({ email: ${JSON.stringify(freshEmail())}, password: ${JSON.stringify(password)} })`)
  assert.equal((await call('registerPasskey()')).error.code, 'webauthn_verification_failed')
  await configure(project, { webauthn_rp_id: 'example.com' })
  assert.match((await call('registerPasskey()')).error.code, /INVALID_RP_ID|INVALID_DOMAIN/)
  await configure(project, { passkey_enabled: false })
  assert.equal((await call('registerPasskey()')).error.code, 'passkey_disabled')
})
