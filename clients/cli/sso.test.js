// The stock CLI: enterprise connections.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { CLI } from '../lib/cli.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'

let cli, project
before(async () => {
  cli = await CLI.open()
  project = await createProject('sso')
})
after(async () => {
  await cli?.close()
  if (project) await deleteProject(project)
})

const run = (...args) => cli.run([...args, `--remote=${project.ref}`])

/** The metadata of an identity provider, as a file. */
async function metadata(entityID) {
  const at = (name) => join(cli.home, name)
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=idp.acme.example', '-days', '2', '-keyout', at('key.pem'), '-out', at('cert.pem')])
  const certificate = (await readFile(at('cert.pem'), 'utf8')).replace(/-----.*-----|\s/g, '')
  await writeFile(
    at('metadata.xml'),
    `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityID}">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.acme.example/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>`,
  )
  return at('metadata.xml')
}

test('sso', async () => {
  const off = await run('sso', 'list')
  assert.equal(off.status, 1)
  assert.match(off.stdout + off.stderr, /SAML 2\.0 support is not enabled/)
  await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { saml_enabled: true })
  // Other servers hear of the change within a moment.
  for (let tries = 0; tries < 50 && (await run('sso', 'list')).status !== 0; tries++) await new Promise((done) => setTimeout(done, 200))

  const ok = async (...args) => {
    const { status, stdout, stderr } = await run(...args)
    assert.equal(status, 0, `supabase ${args.join(' ')}: ${stdout}${stderr}`)
    return stdout + stderr
  }
  const file = await metadata('https://idp.acme.example/metadata')
  await ok('sso', 'add', '--type', 'saml', '--metadata-file', file, '--domains', 'acme.example', '--yes')
  const [{ id }] = (await manage('GET', `/v1/projects/${project.ref}/config/auth/sso/providers`)).items
  assert.match(await ok('sso', 'list'), new RegExp(id))
  const shown = await ok('sso', 'show', id)
  assert.match(shown, /acme\.example/)
  assert.match(shown, /https:\/\/idp\.acme\.example\/metadata/)
  await ok('sso', 'update', id, '--add-domains', 'acme.test', '--yes')
  const { domains } = await manage('GET', `/v1/projects/${project.ref}/config/auth/sso/providers/${id}`)
  assert.deepEqual(domains.map(({ domain }) => domain).sort(), ['acme.example', 'acme.test'])
  assert.match(await ok('sso', 'info'), /saml\/metadata/)
  await ok('sso', 'remove', id, '--yes')
  assert.deepEqual((await manage('GET', `/v1/projects/${project.ref}/config/auth/sso/providers`)).items, [])
})
