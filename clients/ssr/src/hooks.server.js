// Gives each request a client whose session is in the request's cookies.
import { env } from '$env/dynamic/private'
import { createServerClient } from '@supabase/ssr'

export async function handle({ event, resolve }) {
  const { locals, cookies, url } = event
  const added = {}
  locals.supabase = createServerClient(env.PROJECT_URL, env.PUBLISHABLE_KEY, {
    // The project's ref is in the name, so that apps on one host do not share a
    // session. No script needs the cookies: this app has no client in the browser.
    cookieOptions: { name: `sb-${env.PROJECT_REF}-auth-token`, httpOnly: true, secure: url.protocol === 'https:' },
    cookies: {
      getAll: () => cookies.getAll(),
      setAll: (changed, headers) => {
        for (const { name, value, options } of changed) cookies.set(name, value, { ...options, path: '/' })
        Object.assign(added, headers)
      },
    },
  })
  // Refreshes the session if its access token has expired, while cookies can still
  // be set, and asks the project whether the session still exists.
  const { data } = await locals.supabase.auth.getUser()
  locals.user = data.user
  const response = await resolve(event, { filterSerializedResponseHeaders: () => false })
  // An answer that sets a session must not be cached for others.
  for (const [name, value] of Object.entries(added)) response.headers.set(name, value)
  return response
}
