// Writes a picture of every page, light, dark and narrow, to screenshots/, and says
// what the browser and axe complain about. Arguments name pages; all by default.
import { mkdir } from 'node:fs/promises'
import { accessibility, launch, open, signIn, url } from '../journeys/browser.js'
import { open as openPages, pages, unseen } from '../journeys/pages.js'
import { richOrganization, richProject } from '../journeys/rich.js'
import { deleteProject } from '../journeys/world.js'

const out = new URL('../screenshots/', import.meta.url).pathname
const wanted = process.argv.slice(2)
await mkdir(out, { recursive: true })
const world = await richProject()
const missing = unseen({ ...pages(world), ...openPages(world) })
if (missing.length > 0) throw new Error(`journeys/pages.js has no address for ${missing.join(', ')}`)

/** Waits until a page shows all that it has, what is below the first screen included. */
async function settled(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForLoadState('networkidle')
  await page.waitForFunction(() => !document.querySelector('.animate-pulse'), undefined, { timeout: 10_000 }).catch(() => console.log(`${page.url()} is still loading`))
  await page.evaluate(async () => {
    for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
      scrollTo(0, y)
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    }
    scrollTo(0, 0)
  })
  await page.waitForTimeout(100)
}

const browser = await launch()
try {
  for (const [kind, options] of Object.entries({ light: {}, dark: { theme: 'dark' }, narrow: { width: 390, height: 800 } })) {
    for (const [list, signedIn] of [
      [openPages(world), false],
      [pages(world), true],
    ]) {
      const { page, complaints, context } = await open(browser, options)
      if (signedIn) await signIn(page)
      if (signedIn) await richOrganization(page)
      for (const [name, path] of Object.entries(list)) {
        if (wanted.length > 0 && !wanted.includes(name)) continue
        complaints.length = 0
        await page.goto(url + path)
        await settled(page)
        await page.screenshot({ path: `${out}${name}.${kind}.png`, fullPage: true })
        for (const line of [...complaints, ...(await accessibility(page))]) console.log(`${name} (${kind}): ${line}`)
      }
      await context.close()
    }
  }
} finally {
  await browser.close()
  await deleteProject(world.project)
}
console.log(`pictures are in ${out}`)
