// An app in the browser: a page with supabase-js, on an origin of its own, and
// its other pages, which say which cookies the browser has.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const sdk = fileURLToPath(new URL('../node_modules/@supabase/supabase-js/dist/umd/supabase.js', import.meta.url))

// The page has the client, what happened to it, and how it began: {error} is what
// the SDK read from the address. It keeps the address that it was opened with.
const page = ({ url, publishable_key, ref }, flowType) => `<!DOCTYPE html>
<title>App</title>
<h1>App</h1>
<script src="/supabase.js"></script>
<script>
const opened = location.href, events = []
const client = supabase.createClient(${JSON.stringify(url)}, ${JSON.stringify(publishable_key)}, {
  auth: { flowType: ${JSON.stringify(flowType)}, storageKey: ${JSON.stringify(`sb-${ref}-auth-token`)} },
})
client.auth.onAuthStateChange((event) => void events.push(event))
let began
client.auth.initialize().then((result) => (began = result))
</script>
`

export class App {
  #projects = new Map()

  static async open() {
    const app = new App()
    app.server = createServer((req, res) => app.#answer(req, res)).listen(0, '127.0.0.1')
    await once(app.server, 'listening')
    app.origin = `http://127.0.0.1:${app.server.address().port}`
    return app
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
  }

  #answer(req, res) {
    const [, name, flow] = new URL(req.url, this.origin).pathname.split('/')
    const project = this.#projects.get(name)
    if (name === 'supabase.js') {
      res.setHeader('content-type', 'text/javascript')
      createReadStream(sdk).pipe(res)
    } else if (project && ['pkce', 'implicit'].includes(flow)) {
      res.setHeader('content-type', 'text/html; charset=utf-8')
      res.end(page(project, flow))
    } else {
      res.setHeader('content-type', 'text/html; charset=utf-8')
      res.setHeader('set-cookie', 'seen=1')
      res.end(`<title>Site</title><h1>Site</h1><p>${req.headers.cookie ?? 'no cookie'}</p>`)
    }
  }

  /** The address of the page for a project and a flow. */
  address(project, flow) {
    this.#projects.set(project.ref, project)
    return `${this.origin}/${project.ref}/${flow}`
  }

  /** Opens the page, and waits until the client has begun. */
  async visit(browser, project, flow) {
    const page = await browser.visit(this.address(project, flow))
    await this.begun(page)
    return page
  }

  /** Waits until a page is back at the app: {opened, error, user}. */
  async begun(page) {
    await page.until(`location.origin === ${JSON.stringify(this.origin)} && typeof began === "object"`)
    return page.value(`client.auth.getSession().then(({ data }) => ({
      opened, events, error: began.error && { name: began.error.name, message: began.error.message, code: began.error.code, details: began.error.details },
      session: data.session, user: data.session?.user,
    }))`)
  }
}

/** The error that an address has, in its query and in its fragment. */
export function errorsOf(address) {
  const url = new URL(address)
  return [url.searchParams, new URLSearchParams(url.hash.slice(1))].map((values) =>
    Object.fromEntries(['error', 'error_code', 'error_description'].flatMap((name) => (values.has(name) ? [[name, values.get(name)]] : []))),
  )
}
