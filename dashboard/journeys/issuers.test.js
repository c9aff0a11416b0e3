// Trusted issuers: added by what a person has in hand, refused while they do not
// answer, checked with a token of theirs, and removed by name.
import assert from 'node:assert/strict'
import { createSign, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { join } from './people.js'
import { createProject, deleteProject, manage } from './world.js'

describe('trusted issuers', () => {
  let browser, project, page, complaints, issuer, server
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const list = () => manage('GET', `/v1/projects/${project.ref}/config/auth/third-party-auth`)
  const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const tokenOf = (claims) => {
    const text = `${b64({ alg: 'ES256', kid: 'shop', typ: 'JWT' })}.${b64({ iss: issuer, sub: 'user_1', exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`
    return `${text}.${createSign('SHA256').update(text).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
  const sound = async () => {
    const told = [...complaints]
    const axe = await accessibility(page)
    complaints.length = 0 // the way in of axe is one
    assert.deepEqual({ complaints: told, axe }, { complaints: [], axe: [] })
  }
  const dialog = () => page.getByRole('dialog', { name: 'Trust an issuer' })

  before(async () => {
    server = createServer((req, res) => {
      const json = (status, body) => res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
      const path = new URL(req.url, 'http://x').pathname
      if (path === '/.well-known/openid-configuration') return json(200, { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'] })
      if (path === '/jwks') return json(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'shop', alg: 'ES256', use: 'sig' }] })
      return json(404, {})
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    issuer = `http://127.0.0.1:${server.address().port}`
    project = await createProject('Issuers journey')
    browser = await launch()
    // Refusals of an issuer and of tokens are what is tested.
    ;({ page, complaints } = await open(browser, { expected: [/third-party-auth$/, /database\/query$/] }))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    server?.close()
    if (project) await deleteProject(project)
  })

  test('without any the page teaches; each service is asked for what a person has in hand', async () => {
    await page.goto(`${url}/p/${project.ref}/auth`)
    await page.getByRole('link', { name: 'Trusted issuers' }).click()
    await page.getByRole('heading', { name: 'No other issuer is trusted' }).waitFor()
    await sound()
    await page.getByRole('button', { name: 'Trust an issuer' }).click()
    await dialog().getByLabel('Domain').fill('https://example.clerk.accounts.dev/')
    await dialog().getByText('https://example.clerk.accounts.dev', { exact: true }).waitFor()
    await dialog().getByLabel('Where your users sign in').selectOption({ label: 'Firebase' })
    assert.match(page.url(), /add=firebase/)
    await dialog().getByRole('button', { name: 'Trust it' }).click()
    await dialog().getByText('Fill this in').waitFor()
    await dialog().getByLabel('Project ID').fill('example-app')
    await dialog().getByText('https://securetoken.google.com/example-app').waitFor()
    await dialog().getByRole('button', { name: 'Remove example-app' }).waitFor() // the audience
    await dialog().getByLabel('Where your users sign in').selectOption({ label: 'Amazon Cognito' })
    await dialog().getByLabel('User pool ID').fill('eu-central-1_AbCd')
    await dialog().getByText('https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCd').waitFor()
    // What was typed for the first one is still there.
    await dialog().getByLabel('Where your users sign in').selectOption({ label: 'Clerk' })
    assert.equal(await dialog().getByLabel('Domain').inputValue(), 'https://example.clerk.accounts.dev/')
    await sound()
    assert.deepEqual(await list(), [])
  })

  test('an issuer that does not answer is refused with the reason; one that does is trusted with its keys', async () => {
    await dialog().getByLabel('Where your users sign in').selectOption({ label: 'OpenID issuer' })
    await dialog().getByLabel('Issuer').fill(`${issuer}/elsewhere`)
    await dialog().getByRole('button', { name: 'Trust it' }).click()
    await dialog().getByText(/The keys of the issuer cannot be fetched/).waitFor()
    await dialog().getByLabel('Issuer').fill(issuer)
    await dialog().getByLabel('Audiences').fill('shop')
    await dialog().getByLabel('Audiences').press('Enter')
    await dialog().getByRole('button', { name: 'Trust it' }).click()
    await notified(page, /is trusted now$/)
    const row = page.getByRole('list', { name: 'Issuers whose tokens the project trusts' }).getByRole('listitem').first()
    assert.match(await row.innerText(), /For shop[\s\S]*1 key: ES256/)
    await row.getByText('Show the keys').click()
    await row.getByText('shop', { exact: true }).waitFor()
    await sound()
    assert.deepEqual((await list()).map((i) => [i.oidc_issuer_url, i.audiences]), [[issuer, ['shop']]])
  })

  test('a token is checked: what policies see of it, and why one is refused', async () => {
    const field = page.getByLabel('Access token')
    const check = page.getByRole('button', { name: 'Check', exact: true })
    await field.fill(tokenOf({ aud: 'shop', role: 'authenticated', plan: 'gold' }))
    await check.click()
    await page.getByText('Accepted, with the role authenticated.').waitFor()
    await page.locator('pre', { hasText: '"plan": "gold"' }).waitFor()
    await field.fill(tokenOf({ aud: 'shop', role: 'service_role' }))
    await check.click()
    await page.getByText('Accepted, with the role anon.').waitFor()
    await field.fill(tokenOf({ aud: 'elsewhere' }))
    await check.click()
    await page.getByText('The token is for another audience').waitFor()
    await sound()
  })

  test('whoever may only read adds and removes none', async () => {
    const guest = await join(browser, page, 'default', 'read_only')
    await guest.page.goto(`${url}/p/${project.ref}/auth/issuers?add=clerk`)
    await guest.page.getByText('1 key: ES256').waitFor()
    assert.ok(await guest.page.getByRole('button', { name: 'Trust an issuer' }).isDisabled())
    assert.equal(await guest.page.getByRole('button', { name: /^Remove/ }).count(), 0)
    assert.equal(await guest.page.getByRole('dialog').count(), 0)
    assert.deepEqual(guest.complaints, [])
    await guest.context.close()
  })

  test('the trust ends by the typed name', async () => {
    const name = issuer.replace('http://', '')
    await page.goto(`${url}/p/${project.ref}/auth/issuers`)
    await page.getByRole('button', { name: `Remove ${name}` }).click()
    const ask = page.getByRole('dialog', { name: `Trust ${name} no longer?` })
    const remove = ask.getByRole('button', { name: 'Remove', exact: true })
    assert.ok(await remove.isDisabled())
    await ask.getByRole('textbox').fill(name)
    await remove.click()
    await page.getByRole('heading', { name: 'No other issuer is trusted' }).waitFor()
    assert.deepEqual(await list(), [])
  })
})
