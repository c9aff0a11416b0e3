// A headless Chromium, driven by the DevTools protocol.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'

/** The browser of this machine; undefined if there is none. */
export const program = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  .flatMap((name) => process.env.PATH.split(delimiter).map((dir) => join(dir, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

export class Browser {
  /** What pages complained about: violated policies, exceptions. */
  complaints = []
  #calls = new Map()
  #last = 0

  static async open() {
    const browser = new Browser()
    browser.profile = await mkdtemp(join(tmpdir(), 'reeve-browser.'))
    const root = process.getuid?.() === 0
    browser.child = spawn(
      program,
      ['--headless=new', '--remote-debugging-port=0', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
        '--disable-background-networking', `--user-data-dir=${browser.profile}`, ...(root ? ['--no-sandbox'] : []), 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    for await (const line of createInterface({ input: browser.child.stderr })) {
      const at = line.match(/^DevTools listening on (ws:.*)$/)?.[1]
      if (at) {
        browser.socket = new WebSocket(at)
        break
      }
    }
    browser.child.stderr.resume()
    browser.socket.on('message', (text) => browser.#receive(JSON.parse(text)))
    await once(browser.socket, 'open')
    return browser
  }

  async close() {
    this.socket.close()
    if (this.child.exitCode === null) {
      this.child.kill()
      await once(this.child, 'exit')
    }
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10 })
  }

  #receive({ id, result, error, method, params }) {
    if (id) {
      const { resolve, reject } = this.#calls.get(id)
      this.#calls.delete(id)
      error ? reject(new Error(error.message)) : resolve(result)
    } else if (method === 'Runtime.exceptionThrown') {
      this.complaints.push(params.exceptionDetails.text)
    } else if (method === 'Log.entryAdded' && params.entry.source === 'security') {
      this.complaints.push(params.entry.text)
    }
  }

  send(method, params = {}, sessionId) {
    const id = ++this.#last
    this.socket.send(JSON.stringify({ id, method, params, sessionId }))
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }))
  }

  /** A window of its own, with this address. */
  async visit(url) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(this, sessionId)
    for (const domain of ['Page', 'Runtime', 'Log']) await page.send(`${domain}.enable`)
    await page.send('Page.navigate', { url })
    return page
  }
}

class Page {
  constructor(browser, sessionId) {
    this.browser = browser
    this.sessionId = sessionId
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId)
  }

  /** The value of an expression in the page. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  /** Waits until an expression is true; a page that is being left counts as false. */
  async until(expression) {
    for (const deadline = Date.now() + 15000; Date.now() < deadline; await sleep(50)) {
      if (await this.value(expression).catch(() => false)) return
    }
    throw new Error(`never true: ${expression}\n${await this.value('location.href + "\\n" + document.body.innerText')}`)
  }

  /** The text that a person sees. */
  text() {
    return this.value('document.body.innerText')
  }
}
