// The stock CLI: commands that read what only the hosted service has, branches,
// and the advisors.
import assert from 'node:assert/strict'
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

test('branches list', async () => {
  branch = await manage('POST', `/v1/projects/${project.ref}/branch`, { name: 'preview' })
  assert.match(await printed('branches', 'list'), /\| preview\s+\|/)
})

test('db advisors', async () => {
  const lints = await printed('db', 'advisors')
  assert.match(lints, /"name": "auth_leaked_password_protection"/)
  await manage('PATCH', `/v1/projects/${project.ref}/config/auth`, { password_hibp_enabled: true })
  assert.doesNotMatch(await printed('db', 'advisors'), /auth_leaked_password_protection/)
})
