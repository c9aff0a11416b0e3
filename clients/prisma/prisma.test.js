// Prisma beside auth.users: migrations, introspection, and queries as the owner.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { connect, connectAdmin } from '../lib/client.js'
import { freshEmail, ok, password } from '../lib/expect.js'
import { createProject, deleteProject } from '../lib/reeve.js'

const here = fileURLToPath(new URL('.', import.meta.url))

let project, shadow, app, db, prisma
before(async () => {
  project = await createProject('prisma', { mailer_autoconfirm: true })
  shadow = await createProject('prisma shadow')
  // A copy, because the commands write into the app's folder.
  app = await mkdtemp(join(here, 'generated-'))
  for (const file of ['package.json', 'prisma.config.ts', 'engine.js', 'prisma']) {
    await cp(join(here, file), join(app, file), { recursive: true })
  }
  db = new pg.Client({ connectionString: project.db_url })
  await db.connect()
  await Promise.all([command('generate'), migrate()])
  const { PrismaClient } = createRequire(join(app, 'package.json'))('./generated')
  const { PrismaPg } = createRequire(join(app, 'package.json'))('@prisma/adapter-pg')
  prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: project.db_url }) })
})
after(async () => {
  await prisma?.$disconnect()
  await db?.end()
  if (app) await rm(app, { recursive: true })
  if (project) await deleteProject(project)
  if (shadow) await deleteProject(shadow)
})

/** Migrates a project in which Prisma has not been. */
async function migrate() {
  await command('migrate', 'resolve', '--applied', '0_reeve')
  await command('migrate', 'deploy')
}

/** Runs a command of Prisma, which must succeed, and gives what it printed. */
function command(...args) {
  return new Promise((resolve, reject) =>
    execFile(
      process.execPath,
      [join(here, 'node_modules/prisma/build/index.js'), ...args],
      {
        cwd: app,
        timeout: 180_000,
        env: {
          ...process.env,
          DATABASE_URL: project.db_url,
          SHADOW_DATABASE_URL: shadow.db_url,
          // Prisma downloads both, though it needs neither here, unless they name a file.
          PRISMA_QUERY_ENGINE_LIBRARY: join(here, 'engine.js'),
          PRISMA_SCHEMA_ENGINE_BINARY: join(here, 'engine.js'),
          CHECKPOINT_DISABLE: '1',
          PRISMA_HIDE_UPDATE_MESSAGE: '1',
        },
      },
      (err, stdout, stderr) => (err ? reject(new Error(`prisma ${args.join(' ')}: ${err.code}\n${stdout}\n${stderr}`)) : resolve(stdout)),
    ).stdin.end(),
  )
}

async function signUp() {
  const email = freshEmail()
  return ok(await connect(project).auth.signUp({ email, password })).user
}

test('the migrations are recorded', async () => {
  const { rows } = await db.query('select migration_name from public._prisma_migrations where finished_at is not null order by 1')
  assert.deepEqual(rows.map((r) => r.migration_name), ['0_reeve', '1_profiles', '2_sign_up'])
})

test('a sign-up fills the row by the trigger, and Prisma reads it with its user', async () => {
  const { id, email } = await signUp()
  const profile = await prisma.profile.findUnique({ where: { id }, include: { user: true, posts: true } })
  assert.equal(profile.email, email)
  assert.equal(profile.user.email, email)
  assert.ok(profile.user.createdAt instanceof Date)
  assert.deepEqual(profile.posts, [])
})

test('the owner writes by Prisma: upsert, nested create, transaction', async () => {
  const { id, email } = await signUp()
  const upserted = await prisma.profile.upsert({ where: { id }, create: { id, email }, update: { email: 'new@example.com' } })
  assert.equal(upserted.email, 'new@example.com')
  await prisma.profile.update({ where: { id }, data: { posts: { create: [{ title: 'one' }, { title: 'two' }] } } })
  const [count] = await prisma.$transaction([prisma.post.count({ where: { ownerId: id } }), prisma.post.deleteMany({ where: { title: 'one', ownerId: id } })])
  assert.equal(count, 2)
  const user = await prisma.user.findUnique({ where: { id }, include: { profile: { include: { posts: true } } } })
  assert.deepEqual(user.profile.posts.map((p) => p.title), ['two'])
  await assert.rejects(prisma.profile.create({ data: { id: crypto.randomUUID() } }), { code: 'P2003' })
})

test('a deleted user takes profile and posts along', async () => {
  const { id } = await signUp()
  await prisma.post.create({ data: { ownerId: id, title: 'of one who leaves' } })
  ok(await connectAdmin(project).auth.admin.deleteUser(id))
  assert.equal(await prisma.profile.findUnique({ where: { id } }), null)
  assert.equal(await prisma.post.count({ where: { ownerId: id } }), 0)
})

test('introspection sees the tables and the relation to auth.users', async () => {
  const schema = await command('db', 'pull', '--print')
  assert.match(schema, /model Profile \{[^}]*@relation\(fields: \[id\], references: \[id\], onDelete: Cascade, onUpdate: NoAction\)/)
  assert.match(schema, /model User \{/)
  assert.match(schema, /@@schema\("auth"\)/)
})

test('a changed schema becomes a migration by way of the shadow database', async () => {
  const file = join(app, 'prisma/schema.prisma')
  const schema = await readFile(file, 'utf8')
  await writeFile(file, schema.replace('  title   String\n', '  title   String\n  text    String?\n'))
  await command('migrate', 'dev', '--name', 'text', '--skip-generate')
  const made = (await readdir(join(app, 'prisma/migrations'))).find((name) => name.endsWith('_text'))
  assert.equal(
    (await readFile(join(app, 'prisma/migrations', made, 'migration.sql'), 'utf8')).trim(),
    '-- AlterTable\nALTER TABLE "posts" ADD COLUMN     "text" TEXT;',
  )
  assert.equal((await db.query("select from information_schema.columns where table_name = 'posts' and column_name = 'text'")).rowCount, 1)
})

test('a reset keeps users and sign-ups, and the first migration gives back the rights on schema public', async () => {
  const rights = async () => {
    const { rows } = await db.query(`
      select nspowner::regrole::text as owner,
        (select array_agg(item order by item) from unnest(nspacl::text[]) item) as schema,
        (select json_agg(json_build_array(defaclobjtype, defaclacl::text) order by defaclobjtype) from pg_default_acl) as defaults,
        (select array_agg(item order by item) from pg_class, unnest(relacl::text[]) item where oid = 'public.posts'::regclass) as posts
      from pg_namespace where nspname = 'public'`)
    return rows[0]
  }
  const before = await rights()
  const { id } = await signUp()
  await command('migrate', 'reset', '--force', '--skip-generate')
  assert.deepEqual(await rights(), before)
  assert.equal(await prisma.user.count({ where: { id } }), 1)
  assert.equal(await prisma.profile.count(), 0)
  const later = await signUp()
  assert.equal(await prisma.profile.count({ where: { id: later.id } }), 1)
})

test('sign-ups work while schema public is gone', async () => {
  await db.query('drop schema public cascade')
  await signUp()
  await db.query('create schema public')
  await signUp()
})
