// An identity provider of the tests' own, on loopback: OpenID Connect discovery,
// keys, token and userinfo endpoints. Its users sign in at once.
import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

export class Provider {
  clientId = 'reeve-tests'
  clientSecret = 'provider-secret'
  #codes = new Map()
  #access = new Map()

  static async open() {
    const provider = new Provider()
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    provider.privateKey = privateKey
    provider.jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }
    provider.server = createServer((req, res) => void provider.#serve(req, res))
    provider.server.listen(0, '127.0.0.1')
    await once(provider.server, 'listening')
    provider.issuer = `http://127.0.0.1:${provider.server.address().port}`
    return provider
  }

  async close() {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }

  /** A definition for POST /admin/custom-providers. */
  definition(type, identifier, more) {
    const endpoints = {
      authorization_url: `${this.issuer}/authorize`, token_url: `${this.issuer}/token`, userinfo_url: `${this.issuer}/userinfo`,
    }
    return {
      provider_type: type, identifier, name: identifier, client_id: this.clientId, client_secret: this.clientSecret,
      ...(type === 'oidc' ? { issuer: this.issuer } : endpoints), ...more,
    }
  }

  /** A signed ID token of a person, for the provider's client. */
  idToken(person, more = {}) {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: this.issuer, aud: this.clientId, iat: now, exp: now + 600, ...person, ...more }
    const input = `${encode({ alg: 'RS256', typ: 'JWT', kid: this.jwk.kid })}.${encode(claims)}`
    return `${input}.${createSign('RSA-SHA256').update(input).sign(this.privateKey, 'base64url')}`
  }

  /** A person signs in at the address that /authorize gave: where the browser goes back to. */
  signIn(authorize, person) {
    const { searchParams } = new URL(authorize)
    const code = randomUUID()
    this.#codes.set(code, { person, asked: searchParams })
    const back = new URL(searchParams.get('redirect_uri'))
    back.search = new URLSearchParams({ code, state: searchParams.get('state') })
    return back.href
  }

  /** A person refuses there. */
  refuse(authorize) {
    const { searchParams } = new URL(authorize)
    const back = new URL(searchParams.get('redirect_uri'))
    back.search = new URLSearchParams({ error: 'access_denied', error_description: 'not now', state: searchParams.get('state') })
    return back.href
  }

  async #serve(req, res) {
    const { pathname } = new URL(req.url, this.issuer)
    let body = ''
    for await (const part of req) body += part
    const answer = (value, status = 200) => {
      res.writeHead(status, { 'content-type': 'application/json' })
      res.end(JSON.stringify(value))
    }
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return answer({
          issuer: this.issuer, authorization_endpoint: `${this.issuer}/authorize`, token_endpoint: `${this.issuer}/token`,
          userinfo_endpoint: `${this.issuer}/userinfo`, jwks_uri: `${this.issuer}/keys`, response_types_supported: ['code'],
          subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'], code_challenge_methods_supported: ['S256'],
        })
      case '/keys':
        return answer({ keys: [this.jwk] })
      case '/token':
        return this.#token(new URLSearchParams(body), answer)
      case '/userinfo': {
        const person = this.#access.get(req.headers.authorization?.replace(/^Bearer /, ''))
        return person ? answer(person) : answer({ error: 'invalid_token' }, 401)
      }
    }
    return answer({ error: 'not_found' }, 404)
  }

  #token(form, answer) {
    const issued = this.#codes.get(form.get('code'))
    this.#codes.delete(form.get('code'))
    if (!issued || form.get('redirect_uri') !== issued.asked.get('redirect_uri') || !proves(form, issued.asked)) {
      return answer({ error: 'invalid_grant' }, 400)
    }
    const access_token = `provider-access-${randomUUID()}`
    this.#access.set(access_token, issued.person)
    return answer({
      access_token, token_type: 'Bearer', expires_in: 3600, refresh_token: `provider-refresh-${randomUUID()}`,
      id_token: this.idToken(issued.person, { nonce: issued.asked.get('nonce') ?? undefined }),
    })
  }
}

/** Whether the verifier fits the challenge (RFC 7636). */
function proves(form, asked) {
  const challenge = asked.get('code_challenge')
  return !challenge || createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url') === challenge
}

/** A browser without scripts: it keeps cookies, follows no redirect by itself, and presses the button of a page that asks. */
export class Visitor {
  #cookies = new Map()

  async open(url, { press = true } = {}) {
    let res = await this.#send(url)
    const html = await res.text()
    const action = html.match(/<form method="post" action="([^"]+)">/)?.[1]
    if (press && res.status === 200 && action) {
      const fields = new URLSearchParams()
      for (const [, name, value] of html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)) {
        fields.set(name, value.replaceAll('&amp;', '&').replaceAll('&#43;', '+'))
      }
      res = await this.#send(new URL(action, url), { method: 'POST', body: fields })
      await res.arrayBuffer()
    }
    const location = res.headers.get('location') ?? ''
    const [rest, fragment = ''] = location.split('#')
    return {
      status: res.status, location, html, query: new URLSearchParams(rest.split('?')[1] ?? ''), fragment: new URLSearchParams(fragment),
    }
  }

  async #send(url, init = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const res = await fetch(url, { ...init, redirect: 'manual', headers: { ...(cookie && { cookie }) } })
    for (const line of res.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/)
      value ? this.#cookies.set(name, value) : this.#cookies.delete(name)
    }
    return res
  }
}
