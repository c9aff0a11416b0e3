// A company's connection: SAML is switched on, the connection made from metadata,
// tested by a dry run, ruled, mapped, switched off and deleted.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { createProject, deleteProject, manage } from './world.js'

describe('enterprise SSO', () => {
  let browser, project, page, complaints, folder, idp, base, certificate
  const connections = async () => (await manage('GET', `/v1/projects/${project.ref}/sso/connections`)).items
  const sound = async () => {
    assert.deepEqual(await accessibility(page), [])
    complaints.length = 0 // the way in of axe is one
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sso-'))
    const at = (name) => join(folder, name)
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=idp.acme.example', '-days', '20', '-keyout', at('key.pem'), '-out', at('cert.pem')], { stdio: 'ignore' })
    certificate = readFileSync(at('cert.pem'), 'utf8').replace(/-----.*-----|\s/g, '')
    // An identity provider that answers every request with a refusal.
    idp = createServer((req, res) => {
      const q = new URL(req.url, base).searchParams
      const relay = q.get('RelayState')
      const acs = `${url}/p/${project.ref}/auth/v1/sso/saml/acs`
      const response = Buffer.from(
        `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" Version="2.0" IssueInstant="${new Date().toISOString()}" Destination="${acs}"><saml:Issuer>https://idp.acme.example</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:RequestDenied"/></samlp:StatusCode></samlp:Status></samlp:Response>`,
      ).toString('base64')
      res.writeHead(200, { 'Content-Type': 'text/html' })
      res.end(`<form method="post" action="${acs}"><input type="hidden" name="SAMLResponse" value="${response}"><input type="hidden" name="RelayState" value="${relay}"></form><script>document.forms[0].submit()</script>`)
    }).listen(0, '127.0.0.1')
    await once(idp, 'listening')
    base = `http://127.0.0.1:${idp.address().port}`
    project = await createProject('Shop with companies')
    browser = await launch()
    ;({ page, complaints } = await open(browser))
    await signIn(page)
  })
  after(async () => {
    await browser?.close()
    idp?.close()
    if (folder) rmSync(folder, { recursive: true })
    if (project) await deleteProject(project)
  })

  test('SAML is switched on where it is off, and the empty page teaches', async () => {
    await page.goto(`${url}/p/${project.ref}/sso`)
    await page.getByText('No company signs in here yet').waitFor()
    await sound()
    await page.getByRole('button', { name: 'Switch SAML on' }).click()
    await notified(page, 'SAML is switched on.')
    await page.getByText('signs requests and', { exact: false }).or(page.getByText('Signs', { exact: true })).first().waitFor()
  })

  test('a connection is made from metadata', async () => {
    await page.getByRole('link', { name: 'Add a connection' }).click()
    await page.getByRole('heading', { level: 1, name: 'New connection' }).waitFor()
    await page.getByRole('button', { name: 'Create connection' }).click()
    await page.getByText('The metadata is missing').waitFor()
    await page.getByRole('button', { name: 'As a file or text' }).click()
    await page.getByLabel('Metadata, as XML').fill(
      `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.acme.example"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${base}/sso"/></IDPSSODescriptor></EntityDescriptor>`,
    )
    await page.getByRole('textbox', { name: 'Name' }).fill('Acme Corp')
    await page.getByLabel('Domains').fill('acme.example,')
    await sound()
    await page.getByRole('button', { name: 'Create connection' }).click()
    await page.getByRole('heading', { level: 1, name: 'Acme Corp' }).waitFor()
    await page.getByText('The provider’s certificate expires soon.', { exact: false }).waitFor()
    assert.deepEqual((await connections()).map((c) => [c.name, c.domains]), [['Acme Corp', ['acme.example']]])
    await sound()
  })

  test('a dry run comes back with what the provider refused, and what to do', async () => {
    await page.getByRole('button', { name: 'Run a dry run' }).click()
    const sheet = page.getByRole('dialog')
    await sheet.getByText('Dry run: Refused').waitFor()
    await sheet.getByText('The provider itself refused.', { exact: false }).waitFor()
    assert.match(page.url(), /tab=signins&attempt=/)
    await sound()
    await page.keyboard.press('Escape')
    await page.getByRole('table', { name: 'Sign-ins' }).getByText('Refused').waitFor()
  })

  test('rules and attributes are saved by the one bar', async () => {
    await page.getByRole('tab', { name: 'Rules' }).click()
    await page.getByRole('switch', { name: 'Create users' }).click()
    await page.getByLabel('Groups that may sign in').fill('staff,')
    await page.getByText('Name the attribute with the groups first').waitFor()
    await page.getByLabel('Attribute with the groups').fill('groups')
    await page.getByRole('region', { name: '3 changes, not saved' }).getByRole('button', { name: 'Save' }).click()
    await notified(page, 'The rules are saved.')
    await sound()
    await page.getByRole('tab', { name: 'Attributes' }).click()
    await page.getByRole('button', { name: 'Add a claim' }).click()
    await page.getByRole('textbox', { name: 'Claim', exact: true }).fill('plan')
    await page.getByRole('textbox', { name: 'Otherwise' }).fill('basic')
    await page.getByRole('button', { name: 'Save' }).click()
    await notified(page, 'The attributes are saved.')
    await sound()
    const [{ rules, attribute_mapping: mapping }] = await connections()
    assert.deepEqual([rules.create_users, rules.groups_attribute, rules.allowed_groups, mapping.keys], [false, 'groups', ['staff'], { plan: { default: 'basic' } }])
  })

  test('it is switched off, and deleted by its typed name', async () => {
    await page.getByRole('tab', { name: 'Overview' }).click()
    await page.getByRole('button', { name: 'Switch off' }).click()
    await page.getByRole('dialog').getByText('Nobody is signed in by it.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click()
    await notified(page, 'Acme Corp is switched off.')
    assert.equal((await connections())[0].enabled, false)
    await page.getByRole('button', { name: 'Delete connection' }).click()
    await page.getByRole('dialog').getByLabel(/Type/).fill('Acme Corp')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete connection' }).click()
    await notified(page, 'Acme Corp is deleted.')
    await page.getByText('No company signs in here yet').waitFor()
    assert.deepEqual(await connections(), [])
    assert.deepEqual(complaints, [])
  })
})
