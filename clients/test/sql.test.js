// The developer's own SQL: tables that belong to users, a trigger on sign-up, a policy.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { connect, connectAdmin } from '../lib/client.js'
import { claimsOf, freshEmail, ok, password } from '../lib/expect.js'
import { createProject, deleteProject } from '../lib/reeve.js'

let project, db
before(async () => {
  project = await createProject('sql', { mailer_autoconfirm: true })
  db = new pg.Client({ connectionString: project.db_url })
  await db.connect()
  await db.query(schema)
})
after(async () => {
  await db.end()
  await deleteProject(project)
})

// FORCE applies the policies to the table's owner too: db_url connects as the
// owner, and the tests set its claims.
const schema = `
  create table public.profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    nick text
  );
  create function public.handle_new_user() returns trigger
    language plpgsql security definer set search_path = ''
  as $$
  begin
    perform set_config('request.jwt.claims', json_build_object('sub', new.id)::text, true);
    insert into public.profiles (id, nick) values (new.id, new.raw_user_meta_data ->> 'nick');
    return new;
  end $$;
  create trigger on_auth_user_created after insert on auth.users
    for each row execute function public.handle_new_user();
  alter table public.profiles enable row level security;
  alter table public.profiles force row level security;
  create policy "own profile only" on public.profiles
    using ((select auth.uid()) = id) with check ((select auth.uid()) = id);
`

async function signedUp(nick) {
  const sb = connect(project)
  const { session } = ok(await sb.auth.signUp({ email: freshEmail(), password, options: { data: { nick } } }))
  return { id: session.user.id, claims: claimsOf(session.access_token) }
}

/** Runs a query with the claims of an access token, in a transaction that is undone. */
async function as(claims, text, values) {
  await db.query('begin')
  try {
    await db.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claims)])
    return (await db.query(text, values)).rows
  } finally {
    await db.query('rollback')
  }
}

test('the trigger makes a profile for everybody who signs up', async () => {
  const { id, claims } = await signedUp('nick of one')
  assert.deepEqual(await as(claims, 'select id, nick from profiles'), [{ id, nick: 'nick of one' }])
})

test('the policy shows users their own profile, and lets them change no other', async () => {
  const one = await signedUp('one')
  const two = await signedUp('two')
  assert.deepEqual(await as(one.claims, 'select nick from profiles'), [{ nick: 'one' }])
  assert.deepEqual(await as(two.claims, 'select nick from profiles'), [{ nick: 'two' }])
  assert.deepEqual(await as({}, 'select nick from profiles'), [])
  assert.deepEqual(await as(one.claims, "update profiles set nick = 'x' where id = $1 returning id", [two.id]), [])
  assert.deepEqual(await as(one.claims, "update profiles set nick = 'x' returning id"), [{ id: one.id }])
})

test('a policy TO authenticated holds that role', async () => {
  const one = await signedUp('one')
  const two = await signedUp('two')
  await db.query(`
    create table public.notes (id serial primary key, owner uuid default auth.uid() references auth.users (id), text text);
    alter table public.notes enable row level security;
    create policy "own notes" on public.notes to authenticated
      using ((select auth.uid()) = owner) with check ((select auth.uid()) = owner);
  `)
  await request(one.claims, "insert into public.notes (text) values ('of one')")
  await request(two.claims, "insert into public.notes (text) values ('of two')")
  assert.deepEqual(await request(one.claims, 'select text from public.notes'), [{ text: 'of one' }])
  assert.deepEqual(await request(two.claims, "update public.notes set text = 'x' where text = 'of one' returning id"), [])
  await assert.rejects(
    request(two.claims, `insert into public.notes (owner, text) values ('${one.id}', 'forged')`),
    /row-level security/,
  )
  assert.deepEqual(await request({ role: 'anon' }, 'select text from public.notes'), [])
  assert.equal((await request({ role: 'service_role' }, 'select text from public.notes')).length, 2)
  await assert.rejects(request(one.claims, 'select id from auth.users'), /permission denied/)
})

/** Runs a query as an API of the project would for a token: as its role, and kept. */
async function request(claims, text) {
  await db.query('begin')
  try {
    await db.query("select set_config('request.jwt.claims', $1, true)", [JSON.stringify(claims)])
    await db.query(`set local role ${claims.role}`)
    const { rows } = await db.query(text)
    await db.query('commit')
    return rows
  } catch (err) {
    await db.query('rollback')
    throw err
  }
}

test('the helpers read the claims', async () => {
  const { id, claims } = await signedUp('helpers')
  const [row] = await as(
    claims,
    "select auth.uid(), auth.role(), auth.email(), auth.jwt() ->> 'aal' as aal, auth.jwt() -> 'app_metadata' ->> 'provider' as provider",
  )
  assert.deepEqual(row, { uid: id, role: 'authenticated', email: claims.email, aal: 'aal1', provider: 'email' })
})

test('a deleted user takes the profile along', async () => {
  const { id, claims } = await signedUp('leaving')
  ok(await connectAdmin(project).auth.admin.deleteUser(id))
  assert.deepEqual(await as(claims, 'select id from profiles'), [])
})

test('the developer reads users, and reaches nothing else', async () => {
  const { id } = await signedUp('seen')
  assert.equal((await db.query('select id from auth.users where id = $1', [id])).rowCount, 1)
  await assert.rejects(db.query('insert into reeve.outbox default values'), /permission denied|does not exist/)
  await assert.rejects(db.query('create database mine'), /permission denied/)
  await assert.rejects(db.query('create role mine'), /permission denied/)
  await assert.rejects(db.query("copy (select 1) to program 'true'"), /must be superuser|permission denied/)
  const url = new URL(project.db_url)
  url.pathname = '/postgres'
  const elsewhere = new pg.Client({ connectionString: url.href })
  await assert.rejects(elsewhere.connect(), /permission denied/)
})
