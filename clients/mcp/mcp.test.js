// The stock MCP server, as a coding agent starts it, against a running Reeve.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { base, createProject, deleteProject, manage } from '../lib/reeve.js'

const program = fileURLToPath(new URL('../node_modules/@supabase/mcp-server-supabase/dist/cli.js', import.meta.url))
const features = 'account,database,debugging,development,functions,branching,storage'

/** Starts the server: tool(name, args) gives what a tool answers, refused(name, args) the message of its error. */
async function start(...args) {
  const client = new Client({ name: 'reeve-tests', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [program, '--api-url', base, `--features=${features}`, ...args],
      env: { PATH: process.env.PATH, SUPABASE_ACCESS_TOKEN: process.env.REEVE_ACCESS_TOKEN },
    }),
  )
  const call = async (name, args) => {
    const { isError, content } = await client.callTool({ name, arguments: args })
    return { isError, text: content[0].text }
  }
  return {
    client,
    async tool(name, args = {}) {
      const { isError, text } = await call(name, args)
      assert.ok(!isError, `${name}: ${text}`)
      return JSON.parse(text)
    },
    async refused(name, args = {}) {
      const { isError, text } = await call(name, args)
      assert.ok(isError, `${name} is not refused: ${text}`)
      return JSON.parse(text).error.message
    },
    close: () => client.close(),
  }
}

let mcp, project, here
before(async () => {
  mcp = await start()
  project = await createProject('mcp')
  here = { project_id: project.ref }
})
after(async () => {
  await mcp?.close()
  if (project) await deleteProject(project)
})

test('the documentation has every tool', async () => {
  const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name]) => name)
  const { tools } = await mcp.client.listTools()
  assert.deepEqual(tools.map(({ name }) => name).filter((name) => !listed.includes(name)), [])
})

test('organizations and projects', async () => {
  const { organizations } = await mcp.tool('list_organizations')
  assert.ok(organizations.some(({ slug }) => slug === 'default'))
  assert.equal((await mcp.tool('get_organization', { id: 'default' })).name, 'Default')
  const { projects } = await mcp.tool('list_projects')
  assert.ok(projects.some(({ id }) => id === project.ref))
  assert.equal((await mcp.tool('get_project', { id: project.ref })).name, 'mcp')
  const { keys } = await mcp.tool('get_publishable_keys', here)
  assert.ok(keys.some(({ api_key }) => api_key === project.publishable_key))
  assert.doesNotMatch(JSON.stringify(keys), /sb_secret/)
})

/** The id that says that a person agreed to a price. */
async function confirm(type) {
  const cost = await mcp.tool('get_cost', { type, organization_id: 'default' })
  return (await mcp.tool('confirm_cost', cost)).confirmation_id
}

test('a project: created without its secrets, paused, restored', async () => {
  const made = await mcp.tool('create_project', {
    name: 'by mcp', region: 'us-east-1', organization_id: 'default', confirm_cost_id: await confirm('project'),
  })
  try {
    assert.doesNotMatch(JSON.stringify(made), /sb_secret|postgresql:/)
    await mcp.tool('pause_project', { project_id: made.id })
    assert.equal((await mcp.tool('get_project', { id: made.id })).status, 'INACTIVE')
    await mcp.tool('restore_project', { project_id: made.id })
    assert.equal((await mcp.tool('get_project', { id: made.id })).status, 'ACTIVE_HEALTHY')
  } finally {
    await deleteProject({ ref: made.id })
  }
})

test('SQL, migrations and types', async () => {
  await mcp.tool('apply_migration', {
    ...here, name: 'notes', query: 'create table notes (id bigint generated always as identity primary key, body text not null); alter table notes enable row level security',
  })
  const { migrations } = await mcp.tool('list_migrations', here)
  assert.deepEqual(migrations.map(({ name }) => name), ['notes'])
  const { result } = await mcp.tool('execute_sql', { ...here, query: "insert into notes (body) values ('first') returning body" })
  assert.match(result, /\[\{"body":"first"\}\]/)
  const { tables } = await mcp.tool('list_tables', { ...here, schemas: ['public', 'auth'] })
  assert.ok(tables.some(({ name }) => name === 'public.notes'), JSON.stringify(tables).slice(0, 500))
  assert.ok(tables.some(({ name }) => name === 'auth.users'))
  const { extensions } = await mcp.tool('list_extensions', here)
  assert.ok(extensions.some(({ name }) => name === 'plpgsql'))
  assert.match((await mcp.tool('generate_typescript_types', here)).types, /notes: \{\s+Row: \{\s+body: string\s+id: number/)
  assert.match(await mcp.refused('execute_sql', { ...here, query: 'select * from nowhere' }), /relation "nowhere" does not exist/)
})

test('a server that only reads', async () => {
  const reader = await start('--read-only')
  try {
    assert.match((await reader.tool('execute_sql', { ...here, query: 'select 1 as one' })).result, /\[\{"one":1\}\]/)
    assert.match(await reader.refused('execute_sql', { ...here, query: 'create table written ()' }), /read-only/)
    const { tools } = await reader.client.listTools()
    assert.ok(!tools.some(({ name }) => name === 'apply_migration') || (await reader.refused('apply_migration', { ...here, name: 'x', query: 'select 1' })))
  } finally {
    await reader.close()
  }
})

test('advisors', async () => {
  const { result } = await mcp.tool('get_advisors', { ...here, type: 'security' })
  assert.ok(result.lints.some(({ name }) => name === 'auth_leaked_password_protection'))
  assert.ok(Array.isArray((await mcp.tool('get_advisors', { ...here, type: 'performance' })).result.lints))
})

test('branches', async () => {
  const made = await mcp.tool('create_branch', { ...here, name: 'by-mcp', confirm_cost_id: await confirm('branch') })
  const { branches } = await mcp.tool('list_branches', here)
  assert.deepEqual(branches.map(({ id, name }) => [id, name]), [[made.id, 'by-mcp']])
  await mcp.tool('reset_branch', { branch_id: made.id })
  await mcp.tool('delete_branch', { branch_id: made.id })
  assert.deepEqual((await mcp.tool('list_branches', here)).branches, [])
  await assert.rejects(manage('GET', `/v1/projects/${made.project_ref}`), /404/)
})

test('what a project does not have', async () => {
  assert.deepEqual((await mcp.tool('list_edge_functions', here)).functions, [])
  assert.deepEqual((await mcp.tool('list_storage_buckets', here)).buckets, [])
  assert.equal((await mcp.tool('get_storage_config', here)).features.s3Protocol.enabled, false)
  assert.match(await mcp.refused('query_logs', { ...here, sql: 'select 1' }), /\/v1\/projects\/\{ref\}\/logs/)
  for (const [name, args] of Object.entries({
    get_edge_function: { ...here, function_slug: 'x' },
    merge_branch: { branch_id: project.ref },
    rebase_branch: { branch_id: project.ref },
  })) {
    assert.match(await mcp.refused(name, args), /no such endpoint/)
  }
})
