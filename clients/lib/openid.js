// A real OpenID provider on loopback: npm's oidc-provider, with the pages for
// login and consent that it has for development.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

/** The project's client at the provider. */
export const client = { id: 'reeve', secret: 'canary secret/of+the client' }

export class OpenIDProvider {
  /** Who can log in: claims by login; openid adds sub. */
  people = new Map()
  /** Answers requests in place of the provider while it is set. */
  instead = undefined
  /** The clients that were registered later. */
  #clients = []
  /** The logout tokens that clients were sent, by client. */
  told = new Map()
  #port = 0

  /** Starts a provider with one client, whose tokens may go to these callbacks, and public clients of apps, by their id. */
  static async open({ callbacks, apps = [] }) {
    const provider = new OpenIDProvider()
    provider.callbacks = callbacks
    provider.apps = apps
    await provider.start()
    provider.rotate()
    return provider
  }

  async start() {
    this.server = createServer((req, res) => (this.instead ?? this.handle)(req, res)).listen(this.#port, '127.0.0.1')
    await once(this.server, 'listening')
    this.#port = this.server.address().port
    this.issuer = `http://127.0.0.1:${this.#port}`
  }

  /** Nothing listens at its address any more. */
  async stop() {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }

  /** Signs with a new key from now on, and forgets the old one. */
  rotate() {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.kid = randomBytes(6).toString('hex')
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: client.id, client_secret: client.secret, redirect_uris: this.callbacks,
          id_token_signed_response_alg: 'ES256', grant_types: ['authorization_code', 'refresh_token'],
        },
        ...this.#clients,
        ...this.apps.map(({ id, redirect }) => ({
          client_id: id, redirect_uris: [redirect], application_type: 'native',
          token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'ES256',
        })),
      ],
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: this.kid, alg: 'ES256', use: 'sig' }] },
      features: { claimsParameter: { enabled: true }, backchannelLogout: { enabled: true } },
      fetch: (url, options) => this.#fetch(url, options),
      pkce: { required: () => true },
      scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'person'], groups: ['groups'] },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...this.people.get(id) }) }),
      cookies: { keys: [randomBytes(16).toString('hex')] },
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    })
    provider.on('server_error', (_, error) => console.error('oidc-provider:', error))
    provider.on('backchannel.error', (_, error) => console.error('oidc-provider:', error))
    this.handle = provider.callback()
  }

  /** Registers a client, with its metadata as in OpenID Connect Registration; the provider begins anew. */
  register(metadata) {
    this.#clients.push({ id_token_signed_response_alg: 'ES256', ...metadata })
    this.rotate()
  }

  /** Where the browser's pages are. */
  get url() {
    return this.issuer
  }

  /** Without the dispatcher, which keeps the provider from this machine's addresses. */
  #fetch(url, { dispatcher, ...options }) {
    const { client_id } = this.#clients.find((client) => client.backchannel_logout_uri === url) ?? {}
    if (client_id) this.told.set(client_id, options.body.get('logout_token'))
    return fetch(url, options)
  }

  /** Signs out on the provider's page. */
  async logout(page) {
    await page.go(`${this.issuer}/session/end`)
    await this.through(page)
    await page.until('location.pathname === "/session/end/success"')
  }

  /** Agrees to a sign-out; no leaves only the app that asked for it. */
  through(page, { everywhere = true } = {}) {
    return page.click(everywhere ? '[name=logout]' : 'button:not([name])')
  }

  /** Logs in on the provider's page, and consents. */
  async login(page, login) {
    await page.fill('[name=login]', login)
    await page.fill('[name=password]', 'any')
    await page.click('[type=submit]')
    await this.consent(page)
  }

  async consent(page) {
    await page.find('[name=prompt][value=consent]')
    await page.click('[type=submit]')
  }

  /** An ID token as a native app gets it by itself: it sends the nonce's SHA-256. */
  async idToken(browser, login, app, nonce) {
    const verifier = randomBytes(32).toString('base64url')
    const { redirect } = this.apps.find(({ id }) => id === app)
    const query = new URLSearchParams({
      client_id: app, redirect_uri: redirect, response_type: 'code', scope: 'openid email', prompt: 'login consent',
      claims: JSON.stringify({ id_token: { email: null, email_verified: null } }),
      nonce: createHash('sha256').update(nonce).digest('hex'),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
    })
    const page = await browser.visit(`${this.issuer}/auth?${query}`)
    await this.login(page, login)
    await page.until('new URLSearchParams(location.search).has("code")')
    const code = new URL(await page.url()).searchParams.get('code')
    await page.close()
    const res = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', client_id: app, redirect_uri: redirect, code, code_verifier: verifier }),
    })
    const tokens = await res.json()
    if (!res.ok) throw new Error(`${res.status} ${JSON.stringify(tokens)}`)
    return tokens
  }
}
