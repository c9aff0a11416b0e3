// The stock CLI: commands that read what only the hosted service has, branches,
// and the advisors.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { CLI } from '../lib/cli.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'

let cli, project, branch
before(async () => {
  cli = await CLI.open()
  project = await createProject('hosted')
})
after(async () => {
  await cli?.close()
  if (branch) await deleteProject(branch)
  if (project) await deleteProject(project)
})

/** Runs a command that must succeed, and gives what it prints. */
async function printed(...args) {
  const { status, stdout, stderr } = await cli.run([...args, `--remote=${project.ref}`])
  assert.equal(status, 0, `supabase ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout + stderr
}

for (const [command, want] of Object.entries({
  'functions list': /SLUG .*\n[-|\s]+\n\s*\n/,
  'secrets list': /DIGEST\s*\n[-|\s]+\n\s*\n/,
  'postgres-config get --experimental': /Parameter \| Value\s*\n[-|\s]+\n\s*\n/,
  'ssl-enforcement get --experimental': /SSL is \*NOT\* being enforced/,
  'network-restrictions get --experimental': /IPv4 CIDRs: &\[0\.0\.0\.0\/0\]/,
})) {
  test(command, async () => assert.match(await printed(...command.split(' ')), want))
}

test('branches', async () => {
  branch = await manage('POST', `/v1/projects/${project.ref}/branch`, { name: 'preview' })
  assert.match(await printed('branches', 'list'), /\| preview\s+\|/)
  assert.match(await printed('branches', 'get', 'preview'), /\| ACTIVE_HEALTHY/)
  const { stdout } = await cli.run(['branches', 'get', 'preview', '-o', 'json', `--remote=${project.ref}`])
  const variables = JSON.parse(stdout)
  const { host } = new URL(project.db_url)
  const database = `reeve_${branch.ref}`
  assert.equal(variables.POSTGRES_URL, `postgresql://${database}_owner:******@${host}/${database}?connect_timeout=10`)
  assert.equal(variables.SUPABASE_PUBLISHABLE_KEY, branch.publishable_key)
  const disabled = await cli.run(['branches', 'disable', '--yes', `--remote=${project.ref}`])
  assert.equal(disabled.status, 1)
  assert.match(disabled.stderr, /"code":"branching_always_enabled"/)
  await printed('branches', 'create', 'pr-7', '--yes')
  await printed('branches', 'update', 'pr-7', '--name', 'pr-8', '--yes')
  await printed('branches', 'pause', 'pr-8', '--yes')
  const paused = (await manage('GET', `/v1/projects/${project.ref}/branches`)).find(({ name }) => name === 'pr-8')
  assert.equal(paused.preview_project_status, 'INACTIVE')
  await printed('branches', 'unpause', 'pr-8', '--yes')
  await printed('branches', 'delete', 'pr-8', '--yes')
  assert.doesNotMatch(await printed('branches', 'list'), /pr-8/)
})

test('db advisors', async () => {
  const lints = await printed('db', 'advisors')
  assert.match(lints, /"name": "auth_leaked_password_protection"/)
  await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { password_hibp_enabled: true })
  assert.doesNotMatch(await printed('db', 'advisors'), /auth_leaked_password_protection/)
})

test('each command that the documentation lists is run by a test', async () => {
  const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  // Those of reeve are run by its own tests.
  const table = page.split('## Sessions and hooks by `reeve`')[0].split('\n').filter((line) => line.startsWith('| `'))
  const commands = table.flatMap((line) => [...line.split('|')[1].matchAll(/`([^`]+)`/g)].map(([, command]) => command.replace(/ <.*| --.*/, '')))
  assert.ok(commands.length > 10, `${commands}`)
  const folder = new URL('./', import.meta.url)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.test.js'))
  const tests = (await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')))).join('\n')
  // A test has the words as arguments of their own, or in one string.
  const run = tests.replace(/', '/g, ' ')
  assert.deepEqual(commands.filter((command) => !run.includes(`'${command}`)), [])
})
