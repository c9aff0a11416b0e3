// Filters of SCIM, compared with scim2-parse-filter, and changes, compared with scim-patch
// and scimmy (whose filters cannot be: it does not read "))"). The cases are generated, the
// same each time.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { scimPatch } from 'scim-patch'
import { filter as compile, parse, stringify } from 'scim2-parse-filter'
import SCIMMY from 'scimmy'
import { administer } from '../lib/enterprise.js'
import { createProject, deleteProject } from '../lib/reeve.js'

const URN = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

SCIMMY.Schemas.User.definition.extend(SCIMMY.Schemas.EnterpriseUser.definition)

/** Numbers that look random, from a seed. */
function dice(seed) {
  let state = seed
  const next = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  return { next, one: (list) => list[next(list.length)], some: (list) => list.filter(() => next(2) === 0) }
}

// Words in lower case: which texts are compared without case differs.
const words = ['ann', 'bob', 'cleo', 'anna', 'bo', 'sales', 'research', 'chief', 'deputy chief', 'o"brien', 'back\\slash']
const plain = words.filter((word) => /^[a-z ]+$/.test(word))
const types = ['work', 'home', 'other']

/** A user whose attributes are some of those that the cases are about. */
function person(d, n) {
  const optional = (name, value) => (d.next(3) > 0 ? { [name]: value } : {})
  return {
    schemas: [URN, ENTERPRISE],
    userName: `${d.one(words.slice(0, 5))}${n}`, externalId: `x${n}`, active: d.next(2) === 0,
    ...optional('displayName', d.one(words)), ...optional('title', d.one(words)), ...optional('nickName', d.one(words)),
    ...optional('name', { familyName: d.one(words), ...optional('givenName', d.one(words)) }),
    ...optional('emails', d.some(types).map((type) => ({ type, value: `${d.one(words.slice(0, 5))}.${n}.${type}@acme.example` }))),
    [ENTERPRISE]: { department: d.one(words), ...optional('costCenter', String(d.next(5))) },
  }
}

/**
 * A filter. Left out are ne of what may be absent, or has several values, of which readings differ; and what scim2-parse-filter
 * does not read: escaped characters, and several conditions for one value.
 */
function expression(d, depth = 3) {
  const quoted = (text) => JSON.stringify(text)
  const compare = (path, list = plain) => `${path} ${d.one(['eq', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'])} ${quoted(d.one(list))}`
  const simple = () =>
    d.one([
      () => compare('userName'), () => compare('displayName'), () => compare('title'), () => compare('name.familyName'), () => compare('name.givenName'),
      () => compare('emails.value', [...plain, 'acme.example', '.work@']), () => compare('emails.type', types), () => compare(`${ENTERPRISE}:department`),
      () => compare(`${ENTERPRISE}:costCenter`, ['0', '1', '2', '3']),
      () => `${d.one(['displayName', 'title', 'name.givenName', 'nickName', 'emails', 'emails.value', `${ENTERPRISE}:costCenter`])} pr`,
      () => `active eq ${d.one(['true', 'false'])}`, () => `userName ne ${quoted(`${d.one(plain)}${d.next(9)}`)}`,
      () => `emails[type eq ${quoted(d.one(types))}]`, () => `emails[value ${d.one(['co', 'sw'])} ${quoted(d.one(plain))}]`,
    ])()
  if (depth === 0 || d.next(3) === 0) return simple()
  return d.one([
    () => `${expression(d, depth - 1)} and ${expression(d, depth - 1)}`, () => `${expression(d, depth - 1)} or ${expression(d, depth - 1)}`,
    () => `not (${expression(d, depth - 1)})`, () => `(${expression(d, depth - 1)})`,
  ])()
}

/**
 * An operation on a user with emails of some types. Left out are primary, of which there is one value, and filters that no value
 * passes: Reeve adds what Entra ID means by such a one.
 */
function operation(d, present) {
  const email = (type) => ({ type, value: `new.${d.next(100)}.${type}@acme.example` })
  const filtered = () => `emails[type eq "${d.one(present)}"]`
  const path = () => d.one(['displayName', 'title', 'nickName', 'name.familyName', 'name.givenName', `${ENTERPRISE}:department`, `${ENTERPRISE}:costCenter`])
  return d.one([
    () => ({ op: d.one(['add', 'replace']), path: path(), value: d.one(words) }), () => ({ op: 'remove', path: path() }),
    () => ({ op: d.one(['add', 'replace']), value: { title: d.one(words), nickName: d.one(words) } }),
    () => ({ op: 'add', value: { name: { familyName: d.one(words) } } }),
    () => ({ op: 'add', path: 'name', value: { givenName: d.one(words) } }), () => ({ op: 'remove', path: 'name' }),
    () => ({ op: 'add', path: 'emails', value: [email(d.one(types))] }), () => ({ op: 'replace', path: 'emails', value: [email(d.one(types))] }),
    () => ({ op: 'remove', path: 'emails' }),
    () => ({ op: 'replace', path: 'active', value: d.next(2) === 0 }),
    ...(present.length === 0 ? [] : [
      () => ({ op: 'remove', path: filtered() }),
      () => ({ op: 'replace', path: `${filtered()}.value`, value: email('x').value }), () => ({ op: 'replace', path: `${filtered()}.display`, value: d.one(words) }),
    ]),
  ])()
}

/** A user after operations, as two implementations see it; reads is false where one is known to read an operation otherwise. */
const patchers = {
  'scim-patch': {
    reads: (operations) => operations.every(({ path, value }) => path || !value.name), // it replaces all of name
    apply: (user, operations) => scimPatch(structuredClone(user), structuredClone(operations), { mutateDocument: false }),
  },
  scimmy: {
    reads: () => true,
    apply: async (user, Operations) => {
      const before = new SCIMMY.Schemas.User(structuredClone(user))
      const after = await new SCIMMY.Messages.PatchOp({ schemas: [PATCH], Operations: structuredClone(Operations) }).apply(before)
      return JSON.parse(JSON.stringify(after ?? before))
    },
  },
}

describe('SCIM, as others read it', () => {
  let project, directory

  before(async () => {
    project = await createProject('oracles', { saml_enabled: true })
    const metadata_xml = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example/x"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
      <KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate()}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
      <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/></IDPSSODescriptor></EntityDescriptor>`
    const { id } = await administer(project, 'POST', '/admin/sso/providers', { type: 'saml', metadata_xml, rules: { allow_other_domains: true } })
    const { base_url, token } = await administer(project, 'POST', `/admin/sso/providers/${id}/scim/tokens`)
    directory = { base_url, token }
  })
  after(() => project && deleteProject(project))

  async function ask(method, path, body) {
    const response = await fetch(directory.base_url + path, {
      method, headers: { authorization: `Bearer ${directory.token}`, 'content-type': 'application/scim+json' }, body: body && JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : undefined }
  }

  /** The userNames that a filter finds. */
  async function found(filter) {
    const { status, body } = await ask('GET', `/Users?${new URLSearchParams({ filter, count: 200 })}`)
    assert.equal(status, 200, `${filter}: ${JSON.stringify(body)}`)
    return (body.Resources ?? []).map(({ userName }) => userName).sort()
  }

  test('filters find the same', async () => {
    const d = dice(7)
    const users = []
    for (let n = 0; n < 30; n++) {
      const { status, body } = await ask('POST', '/Users', person(d, n))
      assert.equal(status, 201, JSON.stringify(body))
      users.push(body)
    }
    const named = (list) => `${list.map(({ userName }) => userName).sort()}`
    const differ = []
    for (let n = 0; n < 300; n++) {
      const text = expression(d)
      const ours = `${await found(text)}`
      const theirs = named(users.filter(compile(parse(text))))
      if (theirs !== ours) differ.push({ text, ours, theirs })
      const again = stringify(parse(text))
      if (`${await found(again)}` !== ours) differ.push({ text, again })
    }
    assert.deepEqual(differ.slice(0, 3), [])
  })

  test('what is no filter is none', async () => {
    for (const text of ['userName', 'userName eq', 'eq "a"', 'userName eq "a', 'userName is "a"', 'userName eq "a" and', '(userName eq "a"', 'userName eq "a")', 'emails[type eq "work"', 'userName eq a', 'userName eq "a" userName pr']) {
      const { status, body } = await ask('GET', `/Users?${new URLSearchParams({ filter: text })}`)
      assert.deepEqual([status, body.scimType], [400, 'invalidFilter'], text)
      assert.throws(() => parse(text), text)
    }
  })

  test('changes come to the same', async () => {
    const d = dice(11)
    const bare = ({ schemas, id, meta, groups, ...rest }) => JSON.stringify(sorted(rest))
    const { body: made } = await ask('POST', '/Users', person(d, 1000))
    const differ = []
    const compared = Object.fromEntries(Object.keys(patchers).map((name) => [name, 0]))
    for (let n = 0; n < 200; n++) {
      const { status, body: before } = await ask('PUT', `/Users/${made.id}`, person(d, 1000))
      assert.equal(status, 200, JSON.stringify(before))
      const Operations = []
      for (let left = 1 + d.next(3); left > 0; left--) {
        const { emails = [] } = Operations.length ? await patchers.scimmy.apply(before, Operations) : before
        Operations.push(operation(d, emails.map(({ type }) => type)))
      }
      const { status: answered, body } = await ask('PATCH', `/Users/${made.id}`, { schemas: [PATCH], Operations })
      const ours = answered === 200 ? bare(body) : JSON.stringify(body)
      for (const [name, { reads, apply }] of Object.entries(patchers)) {
        if (!reads(Operations)) continue
        compared[name]++
        const theirs = await Promise.resolve().then(() => apply(before, Operations)).then(bare, String)
        if (theirs !== ours) differ.push({ name, before: bare(before), Operations: JSON.stringify(Operations), ours, theirs })
      }
    }
    assert.deepEqual(differ.slice(0, 3), [])
    assert.ok(Object.values(compared).every((n) => n > 100), JSON.stringify(compared))
  })
})

/** A value with its members in order, without those that are empty. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const empty = (v) => typeof v === 'object' && v !== null && Object.keys(v).length === 0
  const members = Object.entries(value).filter(([, v]) => !empty(v)).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, v]) => [name, sorted(v)]))
}

/** A certificate, in base64. */
function certificate() {
  const pem = execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=idp.example', '-days', '2', '-keyout', '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] })
  return new X509Certificate(pem).raw.toString('base64')
}
