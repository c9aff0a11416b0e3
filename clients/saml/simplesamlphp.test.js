// Sign-in at SimpleSAMLphp.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorsOf } from '../lib/app.js'
import { administer, ends, gone, people, usable } from '../lib/enterprise.js'
import { configure } from '../lib/reeve.js'
import { metadata, suite } from './suite.js'
import { SimpleSAMLphp } from './simplesamlphp.js'

const world = suite(SimpleSAMLphp, { byAddress: true })

test('an assertion that is encrypted by default, with AES-CBC, is accepted', async (t) => {
  const { a, idp } = world
  t.after(() => idp.configure({}))
  await configure(a, { saml_allow_encrypted_assertions: true })
  await idp.configure({ 'assertion.encryption': true, sharedkey_algorithm: 'http://www.w3.org/2001/04/xmlenc#aes128-cbc' })
  assert.equal((await world.signIn('gus', a, 'pkce')).user?.email, people.gus.email)
  await idp.configure({ 'assertion.encryption': true, sharedkey_algorithm: 'http://www.w3.org/2001/04/xmlenc#aes128-cbc', 'saml20.sign.response': false })
  const { reason } = await world.refusal(await world.respond('gus', a, 'implicit'))
  assert.match(reason, /AES-CBC in a response that is not signed/)
})

test('a signature with SHA-1 is refused, unless the connection allows it', async (t) => {
  const { a, idp } = world
  t.after(() => idp.configure({}))
  await idp.configure({ 'signature.algorithm': 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' })
  const { reason } = await world.refusal(await world.respond('hal', a, 'implicit'))
  assert.match(reason, /SHA-1/)
  await administer(a, 'PUT', `/admin/sso/providers/${a.connection.id}`, { rules: { allow_sha1: true } })
  assert.equal((await world.signIn('hal', a, 'pkce')).user?.email, people.hal.email)
  await administer(a, 'PUT', `/admin/sso/providers/${a.connection.id}`, { rules: { allow_sha1: false } })
})

test('a portal names the page where the sign-in ends', async () => {
  const { a, app, idp, browser } = world
  const page = await (await browser.another()).visit('about:blank')
  const target = `${app.address(a, 'implicit')}/deep`
  await idp.fromPortal(page, a, 'ada', people.ada.password, target)
  const { user, opened } = await app.begun(page)
  assert.equal(user?.email, people.ada.email)
  assert.ok(opened.startsWith(`${target}#`), opened)
})

test('a connection can refuse sign-ins from the portal', async (t) => {
  const { a, app, idp, browser } = world
  const path = `/admin/sso/providers/${a.connection.id}`
  t.after(() => administer(a, 'PUT', path, { rules: { allow_unsolicited: true } }))
  await administer(a, 'PUT', path, { rules: { allow_unsolicited: false } })
  const page = await (await browser.another()).visit('about:blank')
  await idp.fromPortal(page, a, 'ada', people.ada.password)
  const { session, opened } = await app.begun(page)
  assert.equal(session, null)
  assert.equal(errorsOf(opened)[0].error_code, 'sso_unsolicited', opened)
})

test('single logout by POST, begun on either side', async (t) => {
  const { a, b, idp } = world
  const path = `/admin/sso/providers/${a.connection.id}`
  const POST = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
  const xml = await metadata(a)
  const without = xml.replace(/<md:SingleLogoutService Binding="[^"]*HTTP-Redirect"[^>]*>/, '')
  assert.notEqual(without, xml)
  await writeFile(join(idp.folder, 'service0.xml'), without)
  await idp.configure({ SingleLogoutServiceBinding: [POST] })
  t.after(async () => {
    await writeFile(join(idp.folder, 'service0.xml'), xml)
    await idp.configure({})
    await administer(a, 'PUT', path, { metadata_url: idp.metadataURL })
  })
  await administer(a, 'PUT', path, { metadata_url: idp.metadataURL })
  const somebody = await world.browser.another()
  const first = await world.signIn('kim', a, 'implicit', somebody)
  const second = await world.signInAgain('kim', b, 'pkce', somebody)
  const url = await world.signOut(first.page, a)
  assert.ok(url.startsWith(`${a.url}/auth/v1/sso/saml/slo/`), url)
  assert.deepEqual([await usable(first.page), await usable(second.page)], [gone, gone])
  assert.equal((await ends(a, first.user))[0], 'signed_out')

  const { page, user } = await world.signIn('kim', a, 'implicit')
  await idp.logout(await page.beside())
  assert.equal(await usable(page), gone)
  assert.equal((await ends(a, user))[0], 'slo')
  assert.deepEqual(world.browser.complaints, [])
})

test('a new key is accepted when the metadata has it', async (t) => {
  const { a, idp } = world
  t.after(() => idp.configure({}))
  await idp.key('new')
  const next = { new_privatekey: 'new.key.pem', new_certificate: 'new.cert.pem' }
  const only = { privatekey: 'new.key.pem', certificate: 'new.cert.pem' }
  await idp.configure(only)
  assert.equal((await world.refusal(await world.respond('hal', a, 'implicit'))).check, 'signature')
  await idp.configure(next)
  await administer(a, 'PUT', `/admin/sso/providers/${a.connection.id}`, { metadata_url: idp.metadataURL })
  for (const settings of [{}, next, only]) { // the old key, both, and the new one alone
    await idp.configure(settings)
    assert.equal((await world.signIn('hal', a, 'pkce')).user?.email, people.hal.email)
  }
})
