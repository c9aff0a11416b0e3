// Replaces the text files of a build by their gzip form: dashboard/handler.go
// serves name.gz as name. Empties the folder before, but for what git tracks.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const text = /\.(js|css|html|svg|json|txt)$/

export function compress() {
  let out
  return {
    name: 'reeve-compress',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir)
    },
    async buildStart() {
      for (const name of await readdir(out)) {
        if (name !== '.keep') await rm(join(out, name), { recursive: true })
      }
    },
    closeBundle: {
      order: 'post',
      async handler() {
        for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile() || !text.test(entry.name) || entry.name === 'index.html') continue
          const path = join(entry.parentPath, entry.name)
          await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }))
          await rm(path)
        }
      },
    },
  }
}
