import { queryOptions } from '@tanstack/react-query'
import { ApiError } from '@/lib/api/error'
import { answer, api, type Schema } from '@/lib/api/client'
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

type Refused = { status?: number; code?: string; message: string }

/** The SDK's error as one that pages can show. */
export const refused = (e: Refused) => new ApiError(e.status ?? 0, e.code ?? 'no_answer', e.message)

type Tokens = { access_token: string; refresh_token: string }

/** Makes a session of the platform project this browser's. */
export async function enter({ access_token, refresh_token }: Tokens) {
  const response = await beginSession(access_token, refresh_token)
  if (!response.ok) throw new ApiError(response.status, 'no_session', ((await response.json().catch(() => null)) as { message?: string } | null)?.message ?? response.statusText)
}

export async function signInByPassword(config: Config, email: string, password: string) {
  const { data, error } = await (await platform(config)).signInWithPassword({ email, password })
  if (error) throw refused(error)
  await enter(data.session)
}

/** Takes a session that a mailed link brought out of the address: null without one. */
export function takeLink(): { tokens?: Tokens; type: string; email: string; problem: string } | null {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const [access_token, refresh_token] = [fragment.get('access_token'), fragment.get('refresh_token')]
  const problem = fragment.get('error_code') ?? fragment.get('error') ?? ''
  if (!access_token && !problem) return null
  history.replaceState(history.state, '', location.pathname + location.search)
  const tokens = access_token && refresh_token ? { access_token, refresh_token } : undefined
  return { tokens, type: fragment.get('type') ?? '', email: tokens ? emailIn(tokens.access_token) : '', problem }
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
