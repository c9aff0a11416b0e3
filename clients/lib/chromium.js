// A headless Chromium, driven by the DevTools protocol. run.sh finds the program.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'

const program = process.env.REEVE_CHROMIUM

// A person's choice in the settings of sites: 2 is "block".
const blocked = 2

export class Browser {
  /** What pages complained about: violated policies, exceptions. */
  complaints = []
  #calls = new Map()
  #events = new Map()
  #last = 0

  /** Starts a browser that reaches this machine alone; javaScript and cookies are switched off as a person does it, in its settings. */
  static async open({ javaScript = true, cookies = true, args = [] } = {}) {
    if (!program) throw new Error('REEVE_CHROMIUM is not set: run ./run.sh')
    const browser = new Browser()
    browser.profile = await mkdtemp(join(tmpdir(), 'reeve-browser.'))
    await mkdir(join(browser.profile, 'Default'))
    const default_content_setting_values = { ...(!javaScript && { javascript: blocked }), ...(!cookies && { cookies: blocked }) }
    await writeFile(join(browser.profile, 'Default', 'Preferences'), JSON.stringify({ profile: { default_content_setting_values } }))
    const root = process.getuid?.() === 0
    browser.child = spawn(
      program,
      ['--headless=new', '--remote-debugging-port=0', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
        `--user-data-dir=${browser.profile}`, ...(root ? ['--no-sandbox'] : []), ...args, 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    const said = []
    for await (const line of createInterface({ input: browser.child.stderr })) {
      said.push(line)
      const at = line.match(/^DevTools listening on (ws:.*)$/)?.[1]
      if (at) {
        browser.socket = new WebSocket(at)
        break
      }
    }
    if (!browser.socket) throw new Error(`${program} did not start:\n${said.join('\n')}`)
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

  #receive({ id, result, error, method, params, sessionId }) {
    if (id) {
      const { resolve, reject } = this.#calls.get(id)
      this.#calls.delete(id)
      error ? reject(new Error(error.message)) : resolve(result)
    } else if (method === 'Runtime.exceptionThrown') {
      this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text)
    } else if (method === 'Log.entryAdded' && params.entry.source === 'security') {
      this.complaints.push(params.entry.text)
    }
    this.#events.get(`${sessionId} ${method}`)?.(params)
  }

  /** The next event of a page. */
  event(sessionId, method) {
    return new Promise((resolve) => this.#events.set(`${sessionId} ${method}`, resolve))
  }

  send(method, params = {}, sessionId) {
    const id = ++this.#last
    this.socket.send(JSON.stringify({ id, method, params, sessionId }))
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }))
  }

  /** Another person's browser: no cookie and no storage is shared with others. It ends with this one. */
  async another() {
    const { browserContextId } = await this.send('Target.createBrowserContext')
    return { visit: (url) => this.visit(url, browserContextId) }
  }

  /** A window of its own, with this address. */
  async visit(url, browserContextId) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page(this, sessionId, targetId, browserContextId)
    for (const domain of ['Page', 'Runtime', 'Log']) await page.send(`${domain}.enable`)
    await page.go(url)
    return page
  }
}

class Page {
  constructor(browser, sessionId, targetId, browserContextId) {
    this.browser = browser
    this.browserContextId = browserContextId
    this.sessionId = sessionId
    this.targetId = targetId
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId)
  }

  /** Another window of the same person, with this address. */
  beside(url = 'about:blank') {
    return this.browser.visit(url, this.browserContextId)
  }

  /** Opens an address as if it were typed. */
  go(url) {
    return this.send('Page.navigate', { url })
  }

  close() {
    return this.browser.send('Target.closeTarget', { targetId: this.targetId })
  }

  /** The value of an expression in the page; a promise is awaited. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
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

  /** Waits until an element is there. */
  find(selector) {
    return this.until(`document.readyState !== "loading" && document.querySelector(${JSON.stringify(selector)})`)
  }

  /** Waits for an element, and presses it with the mouse. */
  async click(selector) {
    await this.find(selector)
    const [x, y] = await this.value(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)})
      element.scrollIntoView({ block: 'center', behavior: 'instant' })
      const { x, y, width, height } = element.getBoundingClientRect()
      return [x + width / 2, y + height / 2]
    })()`)
    for (const type of ['mousePressed', 'mouseReleased']) {
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
    }
  }

  /** Waits for a field, and types into it. */
  async fill(selector, text) {
    await this.find(selector)
    await this.value(`(() => {
      const field = document.querySelector(${JSON.stringify(selector)})
      field.focus()
      field.select()
    })()`)
    await this.send('Input.insertText', { text })
  }

  /** Does what leads to an address like this pattern, and gives the address, which is not opened. */
  async withhold(urlPattern, act) {
    return (await this.intercept(urlPattern, act)).url
  }

  /** The same, and gives the request: {url, method, postData}. */
  async intercept(urlPattern, act) {
    await this.send('Fetch.enable', { patterns: [{ urlPattern }] })
    const paused = this.browser.event(this.sessionId, 'Fetch.requestPaused')
    await act()
    const { requestId, request } = await paused
    await this.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
    await this.send('Fetch.disable')
    return request
  }

  url() {
    return this.value('location.href')
  }

  /** The text that a person sees. */
  text() {
    return this.value('document.body.innerText')
  }

  /** Shows the page as on a screen of this width, with a light or a dark scheme. */
  async screen({ width = 1280, height = 800, scheme = 'light' }) {
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 })
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
  }

  /** A picture of the page, a PNG. */
  async picture() {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' })
    return Buffer.from(data, 'base64')
  }
}
