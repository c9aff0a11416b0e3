import type { Provider } from '@supabase/supabase-js'
import { queryOptions } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { ApiError, refusalOf } from '@/lib/api/error'
import { answer, api, type Schema } from '@/lib/api/client'
import { provePasskey } from '@/lib/passkey'
import { beginSession } from '@/lib/session'

export type Config = Schema<'DashboardConfig'>

/** What the installation lets people do before they are signed in. */
export const configQuery = queryOptions({ queryKey: ['config'], queryFn: ({ signal }) => answer(api.GET('/dashboard/config', { signal })), staleTime: 60_000 })

/** The SDK's client of the project at which people sign in. It keeps nothing in the browser. */
export async function platform(config: Config) {
  const { createClient } = await import('@supabase/supabase-js')
  return createClient(config.auth.url, config.auth.publishable_key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, storageKey: 'reeve-platform' },
  }).auth
}

const verifierKey = 'reeve-platform-code-verifier'
const memory = new Map<string, string>()

/**
 * Where the SDK keeps things during a sign-in at a provider. The code verifier outlives the way there
 * and back in this tab, and nothing else does: a code that another browser's sign-in brought is worth
 * nothing here, and no token is stored.
 */
const storage = {
  getItem: (key: string) => (key === verifierKey ? sessionStorage.getItem(key) : (memory.get(key) ?? null)),
  setItem: (key: string, value: string) => void (key === verifierKey ? sessionStorage.setItem(key, value) : memory.set(key, value)),
  removeItem: (key: string) => void (key === verifierKey ? sessionStorage.removeItem(key) : memory.delete(key)),
}

/** The SDK's client for sign-ins at identity providers: with PKCE. */
async function platformByProvider(config: Config) {
  const { createClient } = await import('@supabase/supabase-js')
  return createClient(config.auth.url, config.auth.publishable_key, {
    auth: { flowType: 'pkce', persistSession: true, storage, autoRefreshToken: false, detectSessionInUrl: false, storageKey: 'reeve-platform' },
  }).auth
}

/** The identity providers by which people may sign in; a name only where the project gave one. */
export const providersOf = ({ auth: { methods } }: Config): { id: string; name?: string }[] => [
  ...(methods.providers ?? []).map((id) => ({ id })),
  ...(methods.custom ?? []).map(({ provider, name }) => ({ id: provider, name })),
]

/** Leaves for an identity provider, which sends the browser back to the sign-in page. */
export async function leaveForProvider(config: Config, provider: string, next: string | undefined) {
  const back = new URL('/sign-in', location.origin)
  if (next) back.searchParams.set('next', next)
  const auth = await platformByProvider(config)
  const { data, error } = await auth.signInWithOAuth({ provider: provider as Provider, options: { redirectTo: back.href, skipBrowserRedirect: true } })
  if (error) throw refused(error)
  location.assign(data.url)
}

/** Makes a session of the code that a provider's sign-in brought; the code works in the tab that began it. */
export async function enterByCode(config: Config, code: string) {
  const { data, error } = await (await platformByProvider(config)).exchangeCodeForSession(code)
  memory.clear()
  if (error) throw refused(error)
  await enter(data.session)
}

type Refused = { status?: number; code?: string; message: string }

/** The SDK's error as one that pages can show. */
export const refused = (e: Refused) => new ApiError(e.status ?? 0, e.code ?? 'no_answer', e.message)

export type Tokens = { access_token: string; refresh_token: string }

/** A sign-in that lacks the second factor of its person. */
export class FactorNeeded extends ApiError {
  constructor(readonly tokens: Tokens) {
    super(401, 'insufficient_aal', 'The second factor is needed')
  }
}

/** Makes a session of the platform project this browser's; FactorNeeded where the person has a second factor. */
export async function enter({ access_token, refresh_token }: Tokens) {
  const response = await beginSession(access_token, refresh_token)
  if (response.ok) return
  const refusal = (await response.json().catch(() => null)) as { code?: string; message?: string } | null
  if (refusal?.code === 'insufficient_aal') throw new FactorNeeded({ access_token, refresh_token })
  throw new ApiError(response.status, 'no_session', refusal?.message ?? response.statusText)
}

/** Sends to a route of the platform project that the SDK has behind a flag. */
async function ask(config: Config, path: string, body: unknown, bearer = config.auth.publishable_key): Promise<unknown> {
  const response = await fetch(`${config.auth.url}/auth/v1${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', apikey: config.auth.publishable_key, Authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
  })
  const said: unknown = await response.json().catch(() => null)
  if (!response.ok) throw await refusalOf(response, said)
  return said
}

/** Proves a second factor in a session, whose new tokens it returns. */
export async function proveFactor(config: Config, tokens: Tokens, code: string, recovery: boolean): Promise<Tokens> {
  if (recovery) return (await ask(config, '/factors/recovery-codes/verify', { code }, tokens.access_token)) as Tokens
  const auth = await platform(config)
  const begun = await auth.setSession(tokens)
  if (begun.error) throw refused(begun.error)
  // Not listFactors of the SDK, which knows no recovery codes.
  const apps = (begun.data.user?.factors ?? []).filter((f) => f.factor_type === 'totp' && f.status === 'verified')
  // A person with several apps is not asked which: each code is of one of them.
  let last: Refused | undefined
  for (const factor of apps) {
    const proved = await auth.mfa.challengeAndVerify({ factorId: factor.id, code: code.replaceAll(' ', '') })
    if (!proved.error) return proved.data
    last = proved.error
  }
  throw last ? refused(last) : new ApiError(422, 'mfa_factor_not_found', 'There is no authenticator app')
}

/** Signs in with a passkey of this browser. */
export async function signInByPasskey(config: Config) {
  const begun = (await ask(config, '/passkeys/authentication/options', {})) as { challenge_id: string; options: unknown }
  await enter((await ask(config, '/passkeys/authentication/verify', { challenge_id: begun.challenge_id, credential: await provePasskey(begun.options) })) as Tokens)
}

export async function signInByPassword(config: Config, email: string, password: string, captchaToken?: string) {
  const { data, error } = await (await platform(config)).signInWithPassword({ email, password, options: { captchaToken } })
  if (error) throw refused(error)
  await enter(data.session)
}

const brought = ['code', 'error', 'error_code', 'error_description']

type Link = { tokens?: Tokens; code?: string; email: string; problem: string }

// What was taken out of the address by a rendering that React has not kept yet.
let arrived: (Link & { path: string }) | null = null

/** What a mailed link or a provider's sign-in brought, taken out of the address: null for nothing. */
export function useLink() {
  const state = useState<Link | null>(() => {
    const taken = takeLink()
    if (taken) arrived = { ...taken, path: location.pathname }
    return arrived?.path === location.pathname ? arrived : null
  })
  useEffect(() => {
    arrived = null
  }, [])
  return state
}

function takeLink(): Link | null {
  const [fragment, query] = [new URLSearchParams(location.hash.slice(1)), new URLSearchParams(location.search)]
  const [access_token, refresh_token] = [fragment.get('access_token'), fragment.get('refresh_token')]
  const from = location.pathname === '/sign-in' ? query : fragment // a set-up link has a code of its own
  const [code, problem] = [from.get('code') ?? undefined, fragment.get('error_code') ?? fragment.get('error') ?? from.get('error_code') ?? from.get('error') ?? '']
  if (!access_token && !code && !problem) return null
  if (from === query) for (const name of brought) query.delete(name)
  const rest = query.toString()
  history.replaceState(history.state, '', location.pathname + (rest && `?${rest}`))
  const tokens = access_token && refresh_token ? { access_token, refresh_token } : undefined
  return { tokens, code, email: tokens ? emailIn(tokens.access_token) : '', problem }
}

/** Whose a token is, for the person to see; the server decides. */
function emailIn(token: string) {
  try {
    const claims: unknown = JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
    return typeof claims === 'object' && claims !== null && 'email' in claims ? String(claims.email) : ''
  } catch {
    return ''
  }
}
