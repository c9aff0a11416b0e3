// The stock CLI: SQL in a project's database through the Management API, and the
// history of migrations that both keep.
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CLI } from '../lib/cli.js'
import { createProject, deleteProject, manage } from '../lib/reeve.js'
import { difference } from '../lib/tokens.js'

let cli, project
before(async () => {
  cli = await CLI.open()
  project = await createProject('sql')
})
after(async () => {
  await cli?.close()
  if (project) await deleteProject(project)
})

const run = (...args) => cli.run([...args, `--remote=${project.ref}`])

/** Runs a command that must succeed, and gives what it prints to stdout. */
async function printed(...args) {
  const { status, stdout, stderr } = await run(...args)
  assert.equal(status, 0, `supabase ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

test('db query', async () => {
  const script = 'create table notes (id int, text text); insert into notes values (1, null); select * from notes'
  assert.deepEqual(JSON.parse(await printed('db', 'query', '--yes', '-o', 'json', script)), [{ id: 1, text: null }])
  assert.match(await printed('db', 'query', '--read-only', 'select count(*) from notes'), /count[^]*1/)

  const wrong = await run('db', 'query', '--yes', 'select * from nowhere')
  assert.equal(wrong.status, 1)
  assert.match(wrong.stderr, /ERROR: {2}42P01: relation \\"nowhere\\" does not exist/)

  const written = await run('db', 'query', '--read-only', 'with gone as (delete from notes returning *) select * from gone')
  assert.equal(written.status, 1, written.stdout + written.stderr)
  assert.match(await printed('db', 'query', '--read-only', 'select count(*) from notes'), /count[^]*1/)
})

// The CLI asks the Management API for the types of a project. Of a database's URL it
// makes them itself: both say the same.
test('gen types', async () => {
  const schema = await readFile(fileURLToPath(new URL('../../internal/typegen/testdata/schema.sql', import.meta.url)), 'utf8')
  await manage('POST', `/v1/projects/${project.ref}/database/query`, { query: schema })
  for (const schemas of ['public', 'public,app', 'app', 'auth']) {
    const args = ['gen', 'types', 'typescript', '--schema', schemas]
    const ours = await printed(...args)
    const theirs = await cli.run([...args, `--remote=${project.db_url}`])
    assert.equal(theirs.status, 0, theirs.stderr)
    assert.equal(difference(ours, theirs.stdout), undefined, schemas)
  }
})

// These commands take the database's URL: of a ref they ask for a host of its own.
test('db push and migration list by URL, and migrations by the Management API', async () => {
  const fresh = await createProject('migrated')
  try {
    const history = () => manage('GET', `/v1/projects/${fresh.ref}/database/migrations`)
    const folder = join(cli.workdir, 'supabase', 'migrations')
    await mkdir(folder, { recursive: true })
    await cli.config('')
    await writeFile(join(folder, '20260101000000_first.sql'), 'create table first (id int);\n')
    const pushed = await cli.run(['db', 'push', '--yes', `--remote=${fresh.db_url}`])
    assert.equal(pushed.status, 0, pushed.stdout + pushed.stderr)
    assert.deepEqual(await history(), [{ version: '20260101000000', name: 'first' }])

    const query = 'create table second (id int references first_key); insert into second values (1)'
    await assert.rejects(manage('POST', `/v1/projects/${fresh.ref}/database/migrations`, { query }))
    const { version } = await manage('POST', `/v1/projects/${fresh.ref}/database/migrations`, {
      name: 'second',
      query: 'create table second (id int); insert into second values (1)',
    })
    const listed = await cli.run(['migration', 'list', `--remote=${fresh.db_url}`])
    assert.equal(listed.status, 0, listed.stderr)
    assert.match(listed.stdout, /`20260101000000` \| `20260101000000`/)
    assert.match(listed.stdout, new RegExp(`\`${version}\``))
  } finally {
    await deleteProject(fresh)
  }
})
