// Programs of identity providers, on free ports of loopback.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import '../lib/address.js' // for names below localhost

/** The folder that scripts/setup-idps has filled. */
export const installed = process.env.REEVE_IDPS

const run = promisify(execFile)

/** A program with a folder of its own, which ends with it. */
export class Program {
  static async open(name) {
    if (!installed) throw new Error('REEVE_IDPS is not set: run ./run.sh')
    const program = new this()
    program.folder = await mkdtemp(join(tmpdir(), `reeve-${name}.`))
    program.log = join(program.folder, 'log')
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    program.port = free.address().port
    free.close()
    await once(free, 'close')
    program.url = `http://127.0.0.1:${program.port}`
    return program
  }

  /** Makes a key and its certificate: key.pem and cert.pem, after a name if one is given. */
  async key(name) {
    const at = (file) => join(this.folder, name ? `${name}.${file}` : file)
    await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=idp.acme.example', '-days', '2',
      '-keyout', at('key.pem'), '-out', at('cert.pem')])
  }

  text(name) {
    return readFile(join(this.folder, name), 'utf8')
  }

  /** Starts the program, and waits until path is answered with 200. */
  async start(command, args, env, path) {
    this.child = spawn(command, args, { cwd: this.folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(this.log, { flags: 'a' })
    this.child.stdout.pipe(log, { end: false })
    this.child.stderr.pipe(log, { end: false })
    await once(this.child, 'spawn')
    for (const deadline = Date.now() + 30000; Date.now() < deadline; await sleep(50)) {
      if (this.child.exitCode !== null) break
      const answer = await fetch(this.url + path).catch(() => undefined)
      await answer?.arrayBuffer()
      if (answer?.ok) return
      if (answer) break
    }
    throw new Error(`${command} did not start:\n${(await this.text('log')).slice(0, 2500)}`)
  }

  /** Ends the program. */
  async end() {
    if (this.child && this.child.exitCode === null) {
      this.child.kill()
      await once(this.child, 'exit')
    }
  }

  async stop() {
    await this.end()
    if (!process.env.KEEP) await rm(this.folder, { recursive: true, force: true })
  }
}
