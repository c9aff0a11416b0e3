// Sign-in at an identity provider on pySAML2.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configure } from '../lib/reeve.js'
import { PySAML2 } from './pysaml2.js'
import { suite } from './suite.js'

const world = suite(PySAML2, { groups: 'isMemberOf' })

test('an assertion that is encrypted with Triple DES is refused, with the reason', async (t) => {
  const { a, idp } = world
  await configure(a, { saml_allow_encrypted_assertions: true })
  t.after(() => idp.encrypt(false))
  await idp.encrypt(true)
  const { reason } = await world.refusal(await world.respond('gus', a, 'implicit'))
  assert.match(reason, /the prefix "ns0" is declared anew/) // as the library writes what it has encrypted
})
