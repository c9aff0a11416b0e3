// A project and an organization in which everything has happened: what pictures of
// pages show, and what is checked on every page.
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from './people.js'
import { app, codeOf, livelyProject, manage, password } from './world.js'

/** A certificate as a company's identity provider has one, as base64 of DER. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'rich-'))
  try {
    const at = (name) => join(folder, name)
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=idp.acme.example', '-days', '20', '-keyout', at('key.pem'), '-out', at('cert.pem')], { stdio: 'ignore' })
    return readFileSync(at('cert.pem'), 'utf8').replace(/-----.*-----|\s/g, '')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const metadata = () =>
  `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.acme.example"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${certificate()}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.acme.example/sso"/></IDPSSODescriptor></EntityDescriptor>`

/** What is in the database of a shop: tables with and without policies, a hook, a passkey. */
const schema = (user) => `
  create table public.orders (id bigint generated always as identity primary key, customer uuid references auth.users on delete cascade, total numeric(10,2) not null, placed_at timestamptz not null default now());
  alter table public.orders enable row level security;
  create policy "customers read their orders" on public.orders for select to authenticated using (customer = auth.uid());
  create table public.products (sku text primary key, title text not null, price numeric(10,2));
  insert into public.products select 'SKU-' || i, 'Product ' || i, i from generate_series(1, 40) i;
  insert into public.orders (customer, total) select id, 10 from auth.users;
  create view public.order_totals as select customer, sum(total) as total from public.orders group by customer;
  create function public.add_plan(event jsonb) returns jsonb language sql as $$ select event || jsonb_build_object('claims', event->'claims' || '{"plan":"pro"}') $$;
  insert into auth.webauthn_credentials (id, user_id, credential_id, public_key, friendly_name, backup_eligible, backed_up, clone_warning_at) values
    (gen_random_uuid(), '${user.id}', '\\x01', '\\x02', 'Laptop', true, true, null), (gen_random_uuid(), '${user.id}', '\\x03', '\\x04', 'Token', false, false, now());`

const long = 'A name that somebody typed to find out how long a name may be, and whether it is cut, wrapped or runs over its neighbours '.repeat(2).slice(0, 200)

/** livelyProject, and all that the pages of a project and its organization list. */
export async function richProject(name) {
  const world = await livelyProject(name)
  const { project, users } = world
  const p = `/v1/projects/${project.ref}`
  await manage('POST', `${p}/database/query`, { query: schema(users[1]) })
  await manage('POST', `${p}/database/migrations`, { name: 'create_tags', query: 'create table public.tags (id int primary key)', rollback: 'drop table public.tags' })
  await manage('PATCH', `${p}/config/auth`, {
    saml_enabled: true,
    hook_custom_access_token_enabled: true,
    hook_custom_access_token_uri: 'pg-functions://postgres/public/add_plan',
    external_google_enabled: true,
    external_google_client_id: '1234.apps.googleusercontent.com',
    external_google_secret: 'a secret of the client',
    mfa_totp_enroll_enabled: true,
    mfa_totp_verify_enabled: true,
  })
  await manage('POST', `${p}/auth/custom-providers`, { provider_type: 'oidc', identifier: 'custom:acme', name: 'Acme Corp', issuer: 'https://login.acme.example', client_id: 'shop', client_secret: 'a secret', enabled: false })
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await manage('POST', `${p}/config/auth/third-party-auth`, { custom_jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'shop', alg: 'ES256', use: 'sig' }] } }).catch((error) => console.error(String(error)))
  const connection = await manage('POST', `${p}/sso/connections`, { name: 'Acme Corp', metadata_xml: metadata(), domains: ['acme.example'], enabled: true })
  await manage('POST', `${p}/sso/connections`, { name: long, metadata_xml: metadata().replaceAll('idp.acme.example', 'idp.long.example'), domains: ['long.example'], enabled: false })
  await manage('POST', `${p}/sso/connections/${connection.id}/scim/tokens`, {}).catch((error) => console.error(String(error)))
  const setup = await manage('POST', `${p}/sso/setup-links`, { name: 'Northwind', intents: ['sso', 'scim', 'domain'], domains: ['northwind.example'] })
  await manage('POST', `${p}/api-keys`, { type: 'secret', name: 'nightly_export', description: 'Reads all users at night' })
  await manage('POST', `${p}/branches`, { branch_name: 'checkout-redesign' })
  const client = app(project)
  await client.auth.signInWithPassword({ email: users[1].email, password })
  for (const friendlyName of ['Phone', 'Old phone']) {
    const { data: factor, error } = await client.auth.mfa.enroll({ factorType: 'totp', friendlyName })
    if (error) throw error
    if (friendlyName === 'Phone') await client.auth.mfa.challengeAndVerify({ factorId: factor.id, code: codeOf(factor.totp.secret) })
  }
  return { ...world, connection, setup }
}

/** What an organization and a person have, by the session of a page; once for an installation. */
export async function richOrganization(page) {
  const tokens = await call(page, 'GET', '/v1/organizations/default/service-tokens')
  if (tokens.length > 0) return
  await call(page, 'POST', '/v1/organizations/default/service-tokens', { name: 'Continuous integration', expires_in: 86400 * 30, permissions: ['project:read', 'logs:read'] })
  await call(page, 'POST', '/v1/organizations/default/roles', { name: 'support', description: 'Helps customers', permissions: ['user:read', 'logs:read'] })
  for (const email of ['grace@example.com', `${'long.address.'.repeat(4)}x@example.com`]) await call(page, 'POST', '/v1/organizations/default/invitations', { email, role: 'developer' })
  await call(page, 'POST', '/v1/profile/access-tokens', { name: 'Laptop', expires_in: 86400 * 90 })
}
