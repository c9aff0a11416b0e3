// Checks the size of the script that the first page loads, in bytes of gzip.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const limit = 200 * 1024
const dist = new URL('../dist', import.meta.url).pathname
const html = readFileSync(join(dist, 'index.html'), 'utf8')
const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map((m) => m[1])
if (scripts.length === 0) throw new Error('index.html loads no script')
const total = scripts.reduce((sum, path) => sum + statSync(join(dist, `${path}.gz`)).size, 0)
console.log(`first load: ${(total / 1024).toFixed(1)} kB of script (gzip), limit ${limit / 1024} kB`)
if (total > limit) {
  console.error('the first load is too large: make a route or an import lazy')
  process.exit(1)
}
