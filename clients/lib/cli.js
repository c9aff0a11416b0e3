// The stock `supabase` CLI, started as at a shell, with a separate home. Its
// requests to other servers than Reeve are caught.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { base } from './reeve.js'

// The binary that npm's package `supabase` starts; SUPABASE_CLI_BINARY_OVERRIDE
// names another, for other platforms.
const program =
  process.env.SUPABASE_CLI_BINARY_OVERRIDE ??
  fileURLToPath(new URL('../node_modules/@supabase/cli-linux-x64/bin/supabase', import.meta.url))

/** A home folder with a profile that names Reeve, and a workdir with a supabase/config.toml. */
export class CLI {
  /** What was said to the trap: first lines of requests to other hosts. */
  strays = []

  static async open(token = process.env.REEVE_ACCESS_TOKEN) {
    await access(program)
    const cli = new CLI()
    cli.home = await mkdtemp(join(tmpdir(), 'reeve-cli.'))
    cli.workdir = join(cli.home, 'shop')
    cli.profile = join(cli.home, 'reeve.yaml')
    await mkdir(join(cli.workdir, 'supabase'), { recursive: true })
    await writeFile(
      cli.profile,
      `name: reeve\napi_url: ${base}\ndashboard_url: ${base}\nproject_host: ${new URL(base).hostname}\n`,
    )
    cli.trap = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (data) => {
        cli.strays.push(data.toString('latin1').split('\r\n')[0])
        socket.destroy()
      })
    }).listen(0, '127.0.0.1')
    await once(cli.trap, 'listening')
    const trap = `http://127.0.0.1:${cli.trap.address().port}`
    cli.env = {
      PATH: process.env.PATH,
      HOME: cli.home,
      SUPABASE_ACCESS_TOKEN: token,
      SUPABASE_TELEMETRY_DISABLED: '1',
      DO_NOT_TRACK: '1',
      SUPABASE_NO_UPDATE_NOTIFIER: '1',
      SUPABASE_NO_KEYRING: '1',
      HTTP_PROXY: trap,
      HTTPS_PROXY: trap,
      NO_PROXY: new URL(base).hostname,
    }
    return cli
  }

  async close() {
    this.trap.close()
    await rm(this.home, { recursive: true, force: true })
  }

  /** Writes supabase/config.toml. */
  config(toml) {
    return writeFile(join(this.workdir, 'supabase', 'config.toml'), `project_id = "shop"\n${toml}`)
  }

  /** Runs a command: {status, stdout, stderr}. env changes the environment. */
  async run(args, env = {}) {
    const child = spawn(program, ['--profile', this.profile, '--agent', 'no', ...args], {
      cwd: this.workdir,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60000,
    })
    const out = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', (text) => (out[stream] += text))
    const [code, signal] = await once(child, 'close')
    return { status: signal ?? code, ...out }
  }
}
