// The stock CLI: read projects, compare a configuration, push it.
import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addresses } from '../lib/address.js'
import { CLI } from '../lib/cli.js'
import { freshEmail, password } from '../lib/expect.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'

let cli, project, remote
before(async () => {
  cli = await CLI.open()
  project = await createProject('cli', { mailer_autoconfirm: true })
  remote = `--remote=${project.ref}`
})
after(async () => {
  await cli?.close()
  if (project) await deleteProject(project)
})

/** Runs a command that must succeed, and gives all that it says. */
async function said(...args) {
  const { status, stdout, stderr } = await cli.run(args)
  assert.equal(status, 0, `supabase ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout + stderr
}

const authConfig = () => manage('GET', `/v1/projects/${project.ref}/config/auth`)

test('whoami', async () => {
  const { stdout } = await cli.run(['whoami', '--output-format', 'json'])
  const profile = await manage('GET', '/v1/profile')
  assert.deepEqual(JSON.parse(stdout), {
    id: profile.gotrue_id,
    email: 'operator@reeve.localhost',
    username: 'operator@reeve.localhost',
  })
})

test('a token that is not good is refused', async () => {
  const { status, stdout, stderr } = await cli.run(['orgs', 'list'], { SUPABASE_ACCESS_TOKEN: `sbp_${'0'.repeat(40)}` })
  assert.equal(status, 1)
  assert.match(stdout + stderr, /access token|unauthorized/i)
})

test('orgs list', async () => {
  assert.match(await said('orgs', 'list'), /^\s*default\s*\|\s*Default\s*$/m)
})

test('projects list', async () => {
  assert.match(await said('projects', 'list'), new RegExp(`\\| default\\s*\\| ${project.ref}\\s*\\| cli\\b`))
})

test('projects api-keys', async () => {
  const text = await said('projects', 'api-keys', remote)
  assert.ok(text.includes(project.publishable_key), text)
  assert.ok(!text.includes(project.secret_key), 'the secret key is shown')
})

test('link', async () => {
  await said('link', project.ref)
  assert.equal(await readFile(join(cli.workdir, 'supabase', '.temp', 'project-ref'), 'utf8'), project.ref)
  assert.match(await said('projects', 'list'), new RegExp(`●.*${project.ref}`))
  const temp = join(cli.workdir, 'supabase', '.temp')
  const { host } = new URL(project.db_url)
  assert.equal(
    await readFile(join(temp, 'pooler-url'), 'utf8'),
    `postgresql://reeve_${project.ref}_owner@${host}/reeve_${project.ref}`,
  )
  // It would be the tag of an image, which `supabase start` pulls.
  assert.ok(!(await readdir(temp)).includes('postgres-version'))
})

test('config diff and config push', async () => {
  await cli.config('[auth]\nsite_url = "https://shop.example.com"\njwt_expiry = 1800\n')
  const before = await authConfig()

  const differs = await cli.run(['config', 'diff', '--exit-code', remote])
  assert.equal(differs.status, 2, differs.stdout + differs.stderr)
  assert.match(differs.stdout, /auth\.site_url \[update\]\s+local: +"https:\/\/shop\.example\.com"\s+remote: +"http:\/\/localhost:3000"/)
  assert.match(differs.stdout, /auth\.jwt_expiry \[update\]\s+local: +1800\s+remote: +3600/)

  const unconfirmed = await cli.run(['config', 'push', remote])
  assert.equal(unconfirmed.status, 1)
  assert.deepEqual(await authConfig(), before, 'a push that nobody confirmed changed something')

  await said('config', 'push', '--yes', remote)
  assert.deepEqual(await authConfig(), { ...before, site_url: 'https://shop.example.com', jwt_exp: 1800 })

  const same = await cli.run(['config', 'diff', remote])
  assert.doesNotMatch(same.stdout, /auth\.(site_url|jwt_expiry)/)
  assert.match(same.stdout + same.stderr, /\b0 update\b|No config differences/)

  const res = await fetch(`${addresses.path(project)}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: project.publishable_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email: freshEmail('cli'), password }),
  })
  assert.equal((await res.json()).expires_in, 1800, 'the pushed setting is not in force')
})

test('config push of the file that init writes', async () => {
  await rm(join(cli.workdir, 'supabase', 'config.toml'))
  await said('init')
  await said('config', 'push', '--yes', remote)
  const config = await authConfig()
  assert.equal(config.site_url, 'http://127.0.0.1:3000')
  assert.equal(config.uri_allow_list, 'https://127.0.0.1:3000')
  // The remaining differences belong to services that do not run, or cannot be pushed.
  assert.match(await said('config', 'diff', remote), /\b0 update\b/)
})

test('config push of a mail server and a template', async () => {
  const invite = '<p><a href="{{ .ConfirmationURL }}">Come in</a></p>\n'
  await writeFile(join(cli.workdir, 'supabase', 'invite.html'), invite)
  await cli.config(`[auth.sessions]
timebox = "24h"
[auth.email.smtp]
enabled = true
host = "smtp.example.com"
port = 587
user = "shop"
pass = "env(SMTP_PASSWORD)"
admin_email = "shop@example.com"
sender_name = "Shop"
[auth.email.template.invite]
subject = "Come in"
content_path = "./supabase/invite.html"
`)
  const { status, stdout, stderr } = await cli.run(['config', 'push', '--yes', remote], { SMTP_PASSWORD: 'a secret' })
  assert.equal(status, 0, stdout + stderr)
  const { smtp_pass: digest, ...config } = await authConfig()
  for (const [name, value] of Object.entries({
    sessions_timebox: 24,
    smtp_host: 'smtp.example.com',
    smtp_port: '587',
    smtp_user: 'shop',
    smtp_admin_email: 'shop@example.com',
    smtp_sender_name: 'Shop',
    mailer_subjects_invite: 'Come in',
    mailer_templates_invite_content: invite,
  })) {
    assert.equal(config[name], value, name)
  }
  assert.match(digest, /^[0-9a-f]{64}$/)
  assert.match(await said('config', 'diff', remote), /\b0 update\b|No config differences/)
})

test('config push of sign-in providers', async () => {
  await cli.config(`[auth.external.github]
enabled = true
client_id = "github-id"
secret = "env(GITHUB_SECRET)"
[auth.external.google]
enabled = true
client_id = "web,android"
secret = "env(GITHUB_SECRET)"
skip_nonce_check = true
[auth.external.keycloak]
enabled = true
client_id = "kc"
secret = "env(GITHUB_SECRET)"
url = "https://id.example.com/realms/main"
email_optional = true
`)
  const { status, stdout, stderr } = await cli.run(['config', 'push', '--yes', remote], { GITHUB_SECRET: 'a secret' })
  assert.equal(status, 0, stdout + stderr)
  const config = await authConfig()
  for (const [name, value] of Object.entries({
    external_github_enabled: true,
    external_github_client_id: 'github-id',
    external_google_enabled: true,
    external_google_skip_nonce_check: true,
    external_keycloak_url: 'https://id.example.com/realms/main',
    external_keycloak_email_optional: true,
    external_gitlab_enabled: false,
  })) {
    assert.equal(config[name], value, name)
  }
  assert.match(config.external_github_secret, /^[0-9a-f]{64}$/)
  const ids = [config.external_google_client_id, config.external_google_additional_client_ids]
  assert.equal(ids.filter(Boolean).join(), 'web,android')
  assert.match(await said('config', 'diff', remote), /\b0 update\b|No config differences/)
})

test('config push of what is not built is refused, and says why', async () => {
  await cli.config('[auth]\njwt_expiry = 900\n[auth.web3.solana]\nenabled = true\n')
  const before = await authConfig()
  const { status, stdout, stderr } = await cli.run(['config', 'push', '--yes', remote])
  assert.equal(status, 1, stdout + stderr)
  assert.match(stderr, /400.*validation_failed.*external_web3_solana_enabled/)
  assert.deepEqual(await authConfig(), before, 'a refused push changed something')
})

test('nothing but Reeve was asked for anything', () => {
  assert.deepEqual(cli.strays, [])
})
