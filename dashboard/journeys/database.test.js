// The database of a project: SQL as the owner and as callers of the API, tables,
// advisors with their fixes, migrations, the connection string.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { accessibility, launch, notified, open, signIn, url } from './browser.js'
import { app, createProject, deleteProject, manage, password } from './world.js'

describe('the database', () => {
  let browser, page, complaints, project, editor, ada, bob
  const run = (sql, options) => manage('POST', `/v1/projects/${project.ref}/database/query`, { query: sql, ...options })
  before(async () => {
    project = await createProject('Database')
    const admin = app(project, project.secret_key).auth.admin
    ;[ada, bob] = await Promise.all(
      ['ada', 'bob'].map(async (name) => {
        const { data, error } = await admin.createUser({ email: `${name}@example.com`, password, email_confirm: true })
        if (error) throw error
        return data.user
      }),
    )
    await run(`create table public.notes (id int primary key, user_id uuid references auth.users (id), body text, meta jsonb);
      alter table public.notes enable row level security;
      create policy own on public.notes to authenticated using ((select auth.uid()) = user_id);
      create policy shared on public.notes for select to anon using (user_id is null);
      insert into public.notes values (1, '${ada.id}', 'of ada', '{"a": [1]}'), (2, '${bob.id}', 'of bob', null), (3, null, 'of all', null);
      create table public.open_to_all (id int primary key, note int references public.notes (id))`)
    browser = await launch()
    ;({ page, complaints } = await open(browser, { expected: [/\/database\/query\/detailed$/] }))
    await signIn(page)
    editor = page.getByRole('textbox', { name: 'SQL' })
  })
  after(async () => {
    await browser?.close()
    await deleteProject(project)
  })

  const cells = async () => (await page.getByRole('gridcell').allInnerTexts()).map((t) => t.trim())
  async function execute(sql) {
    await editor.fill(sql)
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+Enter')
    await page.getByText(/ in [\d.]+ m?s| · [\d.]+ m?s/).first().waitFor()
  }

  test('as the owner all rows, with types and NULL; a cell and all rows are copied', async () => {
    await page.goto(`${url}/p/${project.ref}/database`)
    await execute(`select id, body, meta, '' as nothing from notes order by id`)
    assert.deepEqual(await cells(), ['1', 'of ada', '{"a":[1]}', 'empty', '2', 'of bob', 'NULL', 'empty', '3', 'of all', 'NULL', 'empty'])
    assert.match(await page.getByRole('columnheader').nth(3).innerText(), /meta\s+jsonb/)
    await page.getByRole('grid').focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Control+c')
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'of ada')
    await page.getByRole('button', { name: 'Copy or save' }).click()
    await page.getByRole('menuitem', { name: 'Copy all as CSV' }).click()
    await notified(page, 'Copied')
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'id,body,meta,nothing\r\n1,of ada,"{""a"":[1]}",""\r\n2,of bob,,""\r\n3,of all,,""\r\n')
    assert.deepEqual(await accessibility(page), [])
  })

  test('policies admit other rows for a user, another user, and nobody', async () => {
    await page.goto(`${url}/p/${project.ref}/database`)
    await page.getByLabel('Run as').selectOption('authenticated')
    await page.getByLabel('Find a user by address or id').first().fill('ada')
    await page.getByRole('button', { name: 'ada@example.com' }).click()
    await execute('select body from notes order by id')
    assert.deepEqual(await cells(), ['of ada'])
    await page.getByText('Rolled back: nothing was changed').waitFor()
    assert.ok(page.url().includes(ada.id), 'the address says as whom')

    await page.getByRole('button', { name: 'Another user' }).click()
    await page.getByLabel('Find a user by address or id').first().fill('bob')
    await page.getByRole('button', { name: 'bob@example.com' }).click()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('gridcell', { name: 'of bob' }).waitFor()
    assert.deepEqual(await cells(), ['of bob'])

    await page.getByLabel('Run as').selectOption('anon')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('gridcell', { name: 'of all' }).waitFor()
    assert.deepEqual(await cells(), ['of all'])
  })

  test('what a caller changes is undone, unless it is kept; read-only changes nothing', async () => {
    await page.goto(`${url}/p/${project.ref}/database?as=authenticated&user=${bob.id}`)
    const body = async () => (await run('select body from notes where id = 2'))[0].body
    await execute(`update notes set body = 'changed' where id = 2`)
    await page.getByText('Rolled back: nothing was changed').waitFor()
    assert.equal(await body(), 'of bob')
    await page.getByLabel('Keep what it changes').click()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByText('Kept', { exact: true }).waitFor()
    assert.equal(await body(), 'changed')
    await page.getByLabel('Run as').selectOption('owner')
    await page.getByRole('switch', { name: 'Read only' }).click()
    await editor.fill('delete from notes where id = 3')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('alert').getByText('read-only transaction').waitFor()
  })

  test('an error stands where it is, a selection runs alone, and nothing typed is lost', async () => {
    await page.goto(`${url}/p/${project.ref}/database`)
    await editor.fill(`select 1 as one;\nselect '🙂', nowhere from notes`)
    await page.keyboard.press('Control+Enter')
    await page.getByRole('alert').getByText('Line 2, column').waitFor()
    assert.equal(await page.locator('.cm-fault-word').innerText(), 'nowhere')
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('Shift+End')
    await page.getByRole('button', { name: 'Run selection' }).click()
    await page.getByRole('gridcell', { name: '1' }).waitFor()
    await page.goto(`${url}/p/${project.ref}/keys`)
    await page.goto(`${url}/p/${project.ref}/database`)
    await editor.getByText('nowhere').waitFor()
    await page.getByRole('button', { name: 'History' }).click()
    const sheet = page.getByRole('dialog', { name: 'History' })
    await sheet.getByRole('listitem').filter({ hasText: `update notes set body = 'changed'` }).first().getByRole('button', { name: 'Use' }).click()
    await editor.getByText('changed').waitFor()
  })

  test('many rows are drawn as they are seen; notices and the plan are shown', async () => {
    await page.goto(`${url}/p/${project.ref}/database?limit=10000`)
    await execute('select n, repeat(md5(n::text), 4) as text from generate_series(1, 20000) n')
    await page.getByText('10,000 of 20,000 rows').waitFor()
    const grid = page.getByRole('grid')
    assert.ok((await grid.getByRole('row').count()) < 100)
    await grid.evaluate((e) => e.scrollTo(0, e.scrollHeight))
    await grid.getByRole('gridcell', { name: '10000', exact: true }).waitFor()
    await execute(`do $$ begin raise notice 'seen %', 42; end $$`)
    await page.getByText('NOTICE: seen 42').waitFor()
    await editor.fill('select * from notes')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('"Node Type"').first().waitFor()
  })

  test('tables say who may reach them', async () => {
    await page.goto(`${url}/p/${project.ref}/database/tables`)
    const row = page.getByRole('row').filter({ hasText: 'open_to_all' })
    await row.getByText('Off: open to all').waitFor()
    await page.getByRole('row').filter({ hasText: 'public.notes' }).click()
    const sheet = page.getByRole('dialog', { name: 'public.notes' })
    await sheet.getByText('create policy own on public.notes').waitFor()
    assert.deepEqual(await accessibility(page), [])
    await sheet.getByRole('button', { name: 'Try as anon' }).click()
    await editor.getByText('select * from public.notes').waitFor()
    assert.equal(await page.getByLabel('Run as').inputValue(), 'anon')
  })

  test('a finding is mended, and checked again', async () => {
    await page.goto(`${url}/p/${project.ref}/database/advisors`)
    const finding = page.getByRole('listitem').filter({ hasText: 'public.open_to_all' })
    await finding.getByRole('button', { name: 'Apply fix' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/open_to_all ENABLE ROW LEVEL SECURITY/).waitFor()
    await dialog.getByRole('button', { name: 'Apply fix' }).click()
    await notified(page, 'Fixed: the finding is gone')
    assert.equal((await run(`select relrowsecurity as on from pg_class where oid = 'public.open_to_all'::regclass`))[0].on, true)
    await page.getByRole('button', { name: 'Performance' }).click()
    await page.getByRole('listitem').filter({ hasText: 'open_to_all' }).first().waitFor()
    assert.deepEqual(await accessibility(page), [])
  })

  test('a migration is read with its statements', async () => {
    const { version } = await manage('POST', `/v1/projects/${project.ref}/database/migrations`, { name: 'create_tags', query: 'create table public.tags (id int)', rollback: 'drop table public.tags' })
    await page.goto(`${url}/p/${project.ref}/database/migrations`)
    await page.getByRole('row').filter({ hasText: 'create_tags' }).getByText('create_tags').click()
    await page.getByRole('dialog').getByText('create table public.tags').waitFor()
    await page.getByRole('dialog').getByText('drop table public.tags').waitFor()
    assert.ok(page.url().includes(version))
    await page.reload()
    await page.getByRole('dialog').getByText('create table public.tags').waitFor()
  })

  test('a new password is shown once, in a connection string', async () => {
    await page.goto(`${url}/p/${project.ref}/database/connection`)
    await page.getByRole('button', { name: 'Set a new password' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Set new password' }).click()
    const made = page.getByRole('dialog', { name: 'Copy the connection string now' })
    const string = new URL((await made.locator('pre').innerText()).trim())
    assert.match(string.password, /^[A-Za-z0-9]{32}$/)
    assert.equal(string.username, `reeve_${project.ref}_owner`)
    await made.getByRole('button', { name: 'I have copied it' }).click()
    assert.equal(await page.getByText(string.password).count(), 0)
    assert.deepEqual(await accessibility(page), [])
    assert.deepEqual(complaints, [])
  })
})
