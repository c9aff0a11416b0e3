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
} finally {
  await browser.close()
  await deleteProject(world.project)
}
