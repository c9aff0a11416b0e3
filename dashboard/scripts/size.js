// Checks the size of the script that a first visit of each page loads, in bytes of
// gzip: what is imported statically by the app, the page and the layouts around it.
// Charts and editors come after the first paint, and do not count. Removes the
// manifest of the build, which nothing else needs.
import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

// Pages behind the sign-in are above the 200 kB that they should have; this keeps them from growing.
const limitOf = (page) => (page.startsWith('_app') ? 240 : 200) * 1024
const routes = 'src/app/routes/'
const split = '.tsx?tsr-split=component'
const shown = ['sign-in', '_app/orgs/$slug/index', '_app/p/$ref/index']

const dist = new URL('../dist', import.meta.url).pathname
const manifest = JSON.parse(gunzipSync(readFileSync(join(dist, '.vite/manifest.json.gz'))))
rmSync(join(dist, '.vite'), { recursive: true })

/** The chunks that are loaded before a page is shown. */
function chunksOf(page) {
  const found = new Set()
  const visit = (key) => {
    if (found.has(key)) return
    found.add(key)
    for (const next of manifest[key].imports ?? []) visit(next)
  }
  visit('index.html')
  const parts = page.split('/')
  const around = parts.flatMap((_, i) => [parts.slice(0, i).join('/'), [...parts.slice(0, i), 'route'].join('/')])
  for (const route of [...around, page]) if (manifest[routes + route + split]) visit(routes + route + split)
  return [...found]
}

const sizeOf = (page) => chunksOf(page).reduce((sum, key) => sum + statSync(join(dist, `${manifest[key].file}.gz`)).size, 0)

const pages = Object.keys(manifest).filter((key) => key.startsWith(routes) && key.endsWith(split)).map((key) => key.slice(routes.length, -split.length))
const sizes = pages.map((page) => ({ page, size: sizeOf(page) })).sort((a, b) => b.size - a.size)
for (const page of shown) if (!pages.includes(page)) throw new Error(`there is no page ${page}`)
const kB = (size) => `${(size / 1024).toFixed(1)} kB`
console.log(`first load of script, gzip: ${shown.map((page) => `${page} ${kB(sizeOf(page))}`).join(', ')}; most: ${sizes[0].page} ${kB(sizes[0].size)}`)
const heavy = sizes.filter(({ page, size }) => size > limitOf(page))
if (heavy.length > 0) {
  console.error(`too large, make an import lazy: ${heavy.map(({ page, size }) => `${page} ${kB(size)}`).join(', ')}`)
  process.exit(1)
}
