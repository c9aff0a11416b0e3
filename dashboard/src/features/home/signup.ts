import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import { ApiError } from '@/lib/api/error'
import type { Connection } from './snippet'

export type SignedUp = { id: string; email: string; confirmed: boolean; took: number; at: string }

/** Signs a user up as an app does: by the SDK, at the project's own URL. */
export function useSignUp({ ref, url, key }: Connection) {
  return useMutation({
    mutationFn: async (credentials: { email: string; password: string }): Promise<SignedUp> => {
      const { createClient } = await import('@supabase/supabase-js')
      const client = createClient(url, key, {
        auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false, storageKey: `reeve-try-${ref}` },
        // The link in the mail leads to the project's site: this page is no app of the project.
        global: { fetch: (input, init) => fetch(input, { ...init, referrerPolicy: 'no-referrer' }) },
      })
      const at = new Date().toISOString()
      const began = performance.now()
      const { data, error } = await client.auth.signUp(credentials)
      if (error) throw new ApiError(error.status ?? 0, error.code ?? 'no_answer', error.message)
      if (!data.user) throw new ApiError(0, 'no_user', 'The answer has no user')
      return { id: data.user.id, email: credentials.email, confirmed: data.session !== null, took: performance.now() - began, at }
    },
  })
}

/** The row of a user; null while there is none, which an answer to a known address does not tell. */
export const rowQuery = (ref: string, id: string) =>
  queryOptions({
    queryKey: ['user-row', ref, id],
    queryFn: ({ signal }) =>
      answer(api.GET('/v1/projects/{ref}/auth/users/{id}', { params: { path: { ref, id } }, signal })).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return null
        throw error
      }),
    refetchInterval: ({ state }) => (state.data?.email_confirmed_at ? false : 1500),
  })

/** The captured mail to an address. */
export const arrivedQuery = (ref: string, to: string) =>
  queryOptions({
    queryKey: ['inbox', ref, 'to', to],
    queryFn: async ({ signal }) => ((await answer(api.GET('/v1/projects/{ref}/inbox', { params: { path: { ref }, query: { limit: 20 } }, signal }))) ?? []).find((m) => m.to === to) ?? null,
    refetchInterval: ({ state }) => (state.data ? false : state.dataUpdateCount < 20 ? 500 : 3000),
  })
