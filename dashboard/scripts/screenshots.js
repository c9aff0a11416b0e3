// Writes a picture of every page, light, dark and narrow, to screenshots/, and says
// what the browser and axe complain about. Arguments name pages; all by default.
import { mkdir } from 'node:fs/promises'
import { accessibility, launch, open, signIn, url } from '../journeys/browser.js'
import { open as openPages, pages } from '../journeys/pages.js'
import { deleteProject, livelyProject } from '../journeys/world.js'

const out = new URL('../screenshots/', import.meta.url).pathname
const wanted = process.argv.slice(2)
await mkdir(out, { recursive: true })
const world = await livelyProject()
const browser = await launch()
try {
  for (const [kind, options] of Object.entries({ light: {}, dark: { theme: 'dark' }, narrow: { width: 390, height: 800 } })) {
    for (const [list, signedIn] of [
      [openPages, false],
      [pages(world), true],
    ]) {
      const { page, complaints, context } = await open(browser, options)
      if (signedIn) await signIn(page)
      for (const [name, path] of Object.entries(list)) {
        if (wanted.length > 0 && !wanted.includes(name)) continue
        complaints.length = 0
        await page.goto(url + path)
        await page.waitForLoadState('networkidle')
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
