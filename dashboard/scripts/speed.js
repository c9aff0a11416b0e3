// Measures how quickly pages show what they are about: the largest contentful paint of
// a first visit (nothing cached) and of a later one, and what is loaded for it. Figures
// of this machine; nothing fails by them.
import { loadavg } from 'node:os'
import { launch, open, signIn, url } from '../journeys/browser.js'
import { deleteProject, livelyProject } from '../journeys/world.js'

const world = await livelyProject()
const p = `/p/${world.project.ref}`
const pages = { 'sign-in': '/sign-in', projects: '/orgs/default', 'project home': p, users: `${p}/users`, 'a user': `${p}/users/${world.users[1].id}`, settings: `${p}/auth/passwords`, keys: `${p}/keys`, 'SQL editor': `${p}/database`, logs: `${p}/logs` }

/** Milliseconds until the largest paint, once the page is quiet. */
async function paint(page, path) {
  const loaded = []
  const count = async (response) => {
    if (!/\.js$/.test(new URL(response.url()).pathname)) return
    loaded.push((await response.request().sizes().catch(() => ({ responseBodySize: 0 }))).responseBodySize)
  }
  page.on('response', count)
  await page.goto(url + path)
  await page.waitForLoadState('networkidle')
  const ms = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => resolve(Math.max(...list.getEntries().map((e) => e.startTime)))).observe({ type: 'largest-contentful-paint', buffered: true })
        setTimeout(() => resolve(NaN), 3000)
      }),
  )
  page.off('response', count)
  return { ms: Math.round(ms), kB: Math.round(loaded.reduce((a, b) => a + b, 0) / 1024) }
}

/** The times between the frames of a page that is scrolled, in milliseconds: for five seconds, by the wheel. */
async function framesOf(page, table) {
  const recorded = page.evaluate(
    () =>
      new Promise((resolve) => {
        const times = []
        let last = performance.now()
        const began = last
        const each = (now) => {
          times.push(now - last)
          last = now
          if (now - began < 5000) requestAnimationFrame(each)
          else resolve(times.slice(1))
        }
        requestAnimationFrame(each)
      }),
  )
  const box = await table.boundingBox()
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  let moving = true
  const done = recorded.finally(() => (moving = false))
  while (moving) await page.mouse.wheel(0, 240)
  return done
}

/** How smoothly lists of 12,000 rows scroll. The rows are answered at the border of the network. */
async function frames(browser) {
  const rows = 12_000
  const list = (own, name, of) => (route) => {
    const query = new URL(route.request().url()).searchParams
    const [after, limit] = [Number(query.get('after') ?? query.get('cursor') ?? 0), Number(query.get('limit') ?? 100)]
    const part = Array.from({ length: Math.min(limit, rows - after) }, (_, i) => of(after + i))
    const next = after + limit < rows ? String(after + limit) : null
    return route.fulfill({ json: { ...own, [name]: part, next, next_cursor: next, total: rows } })
  }
  const { page, context } = await open(browser)
  await signIn(page)
  console.log('\n12,000 rows            frames   p50      p95      longest   dropped')
  for (const [title, path, pattern, first, name, of] of [
    ["operator's projects", '/operator/projects', '**/v1/operator/projects?**', '/v1/operator/projects?limit=1', 'projects', (row, i) => ({ ...row, ref: i.toString(26).padStart(20, 'a').replace(/[0-9]/g, 'q'), name: `Project ${i}` })],
    ['users', `${p}/users`, '**/auth/users?**', `/v1/projects/${world.project.ref}/auth/users?limit=1`, 'users', (row, i) => ({ ...row, id: row.id.slice(0, -6) + String(i).padStart(6, '0'), email: `user${i}@example.com` })],
  ]) {
    const own = await page.evaluate((address) => fetch(address).then((r) => r.json()), first)
    await page.route(pattern, list(own, name, (i) => of(own[name][0], i)))
    await page.goto(url + path)
    const table = page.getByRole('table').first()
    await table.waitFor()
    const more = page.getByRole('button', { name: 'Load more' })
    for (let i = 0; i < rows / 50 && (await more.isVisible()); i++) await more.click()
    const shown = await page.getByText(/^Showing/).first().innerText()
    const times = (await framesOf(page, table)).sort((a, b) => a - b)
    const at = (q) => `${times[Math.floor(q * (times.length - 1))].toFixed(1)} ms`.padStart(8)
    const ideal = 1000 / 60
    const dropped = times.reduce((sum, t) => sum + Math.max(0, Math.round(t / ideal) - 1), 0)
    console.log(`${title.padEnd(22)} ${String(times.length).padStart(6)} ${at(0.5)} ${at(0.95)} ${at(1)} ${String(dropped).padStart(6)} of ${times.length + dropped} (${shown})`)
    await page.unroute(pattern)
  }
  await context.close()
}

const browser = await launch()
try {
  console.log(`load average ${loadavg()[0].toFixed(1)}\npage           first visit     later`)
  for (const [name, path] of Object.entries(pages)) {
    const { page, context } = await open(browser)
    if (path !== '/sign-in') await signIn(page)
    await (await context.newCDPSession(page)).send('Network.clearBrowserCache')
    const [first, later] = [await paint(page, path), await paint(page, path)]
    console.log(`${name.padEnd(14)} ${String(first.ms).padStart(5)} ms ${String(first.kB).padStart(4)} kB ${String(later.ms).padStart(6)} ms`)
    await context.close()
  }
  await frames(browser)
} finally {
  await browser.close()
  await deleteProject(world.project)
}
