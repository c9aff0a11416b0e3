// Times the first minute of somebody who has read nothing: from the first look at a
// fresh `reeve dev` to a user who signed up by a page of their own. They read what is
// on the screen, find what to press and type as people do; nothing is prepared but
// their project folder, in which @supabase/supabase-js is installed.
//
//   node scripts/firstminute.js [../bin/reeve]
import { spawn } from 'node:child_process'
import { createServer as listen } from 'node:net'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'

// A reader takes four words a second, and no more of a page than its first eight
// seconds; pressing something takes 1.2 seconds, to decide and to point (the sum of
// the keystroke-level model's M and P is 2.45 for a novice, 1.1 for who points only);
// another window 2 seconds; a key 0.12 to 0.2.
const [wordsASecond, mostReading, press, windows] = [4, 8000, 1200, 2000]
const key = { delay: 160 }
const bar = 120

const bin = resolve(process.argv[2] ?? '../bin/reeve')
const here = resolve('.')
const work = await mkdtemp(join(tmpdir(), 'reeve-firstminute.'))
const freePort = () => new Promise((done) => { const s = listen().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)) }) })
const port = await freePort()
const url = `http://localhost:${port}`
let terminal = ''
const reeve = spawn(bin, ['dev', '--listen', `127.0.0.1:${port}`, '--data', join(work, 'data'), '--postgres-port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] })
for (const stream of [reeve.stdout, reeve.stderr]) stream.on('data', (text) => (terminal += text))
let vite, browser

let began
let [clicks, keys] = [0, 0]
const said = []
const step = (what) => said.push([((Date.now() - began) / 1000).toFixed(1), what])

async function read(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForLoadState('networkidle')
  const words = await page.evaluate(() => (document.querySelector('[role=dialog]') ?? document.querySelector('main') ?? document.body).innerText.split(/\s+/).length)
  await sleep(Math.min(mostReading, (words / wordsASecond) * 1000))
}
async function click(target) {
  await target.waitFor()
  await sleep(press)
  await target.click()
  clicks++
}
async function type(target, text) {
  await target.click()
  await target.pressSequentially(text, key)
  clicks++
  keys += text.length
}

try {
  for (let i = 0; !/Reeve is ready/.test(terminal); i++) {
    if (i > 600 || reeve.exitCode !== null) throw new Error(`reeve dev did not start:\n${terminal}`)
    await sleep(100)
  }
  browser = await chromium.launch({ executablePath: process.env.REEVE_CHROMIUM, args: ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])] })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await context.newPage()

  began = Date.now()
  await page.goto(url)
  await read(page)
  step('read the sign-in page, which says where the way in is')
  await click(page.getByRole('button', { name: /Print a new link/ }))
  await page.getByText(/newest link there/).waitFor()
  await sleep(windows)
  const link = terminal.match(/http:\S+\/dev\/open\?code=\S+/g).at(-1)
  await sleep(windows)
  await page.goto(link)
  await page.waitForURL(/\/orgs\//)
  await read(page)
  step('opened the link of the terminal, and saw the projects')
  await click(page.getByRole('button', { name: 'Create project' }).first())
  const dialog = page.getByRole('dialog')
  await read(page)
  await type(dialog.getByLabel('Name'), 'Notes')
  await click(dialog.getByRole('button', { name: 'Create project' }))
  await page.getByRole('heading', { name: 'Notes is ready' }).waitFor()
  const ref = new URL(page.url()).pathname.split('/')[2]
  await read(page)
  step('created a project, and read what it gives')
  await page.locator('pre').first().scrollIntoViewIfNeeded()
  await click(page.getByRole('button', { name: 'Copy', exact: true }).and(page.locator('div:has(> div > button[aria-pressed]) button')).last())
  const snippet = await page.evaluate(() => navigator.clipboard.readText())
  if (!snippet.includes('createClient')) throw new Error(`copied ${snippet}`)

  // Their own page: an empty project of Vite, with what was copied pasted into it.
  await sleep(windows)
  await symlink(join(here, 'node_modules'), join(work, 'node_modules'))
  await writeFile(join(work, 'index.html'), '<!doctype html><title>Notes</title><script type="module" src="/main.js"></script>')
  await sleep(press)
  await writeFile(join(work, 'main.js'), snippet)
  vite = await createServer({ root: work, configFile: false, logLevel: 'error', server: { host: '127.0.0.1', port: await freePort(), fs: { strict: false } }, cacheDir: join(work, 'vite') })
  await vite.listen()
  await sleep(windows)
  const own = await context.newPage()
  const signedUp = own.waitForResponse((r) => r.url().endsWith('/auth/v1/signup') || /\/signup\?/.test(r.url()))
  await own.goto(`http://localhost:${vite.config.server.port}`)
  const status = (await signedUp).status()
  if (status !== 200) throw new Error(`the page of their own got ${status}: ${await (await signedUp).text()}`)
  step('pasted the snippet into a page of their own, whose sign-up was answered')
  await sleep(windows)
  await page.bringToFront()
  await click(page.getByRole('link', { name: 'Users', exact: true }))
  await page.getByText('ada@example.com').first().waitFor()
  step('saw the user in the list')
  for (const [at, what] of said) console.log(`${at.padStart(6)} s  ${what}`)
  const seconds = Number(said.at(-1)[0])
  console.log(`the first minute took ${seconds} s, ${clicks} clicks and ${keys} keys; the bar is ${bar} s (project ${ref})`)
  if (seconds > bar) process.exitCode = 1
} catch (error) {
  for (const [at, what] of said) console.log(`${at.padStart(6)} s  ${what}`)
  throw error
} finally {
  await vite?.close()
  await browser?.close()
  reeve.kill()
  await new Promise((done) => (reeve.exitCode === null ? reeve.once('exit', done) : done()))
  await rm(work, { recursive: true, force: true })
}
