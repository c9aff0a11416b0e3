// The code by which an app uses a project. internal/snippet has the same client.
export type Connection = { ref: string; url: string; key: string }

const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`
const double = (text: string) => JSON.stringify(text)

/** A first sign-up, by the kind of app, with the true values. */
export function snippets({ ref, url, key }: Connection): { label: string; code: string }[] {
  const known = key || 'YOUR_PUBLISHABLE_KEY'
  const [u, k, name] = [quote(url), quote(known), quote(`sb-${ref}-auth-token`)]
  const signUp = `const { data, error } = await supabase.auth.signUp({
  email: 'ada@example.com',
  password: 'a long passphrase',
})`
  const client = `import { createClient } from '@supabase/supabase-js'

const supabase = createClient(${u}, ${k}, {
  auth: { storageKey: ${name} },
})`
  const react = `import { useEffect, useState } from 'react'
import { createClient } from '@supabase/supabase-js'

const supabase = createClient(${u}, ${k}, {
  auth: { storageKey: ${name} },
})

export function App() {
  const [session, setSession] = useState(null)
  useEffect(() => {
    const { data } = supabase.auth.onAuthStateChange((_event, session) => setSession(session))
    return () => data.subscription.unsubscribe()
  }, [])

  const signUp = (event) => {
    event.preventDefault()
    const { email, password } = Object.fromEntries(new FormData(event.target))
    supabase.auth.signUp({ email, password })
  }
  if (session) return <p>Signed in as {session.user.email}</p>
  return (
    <form onSubmit={signUp}>
      <input name="email" type="email" required />
      <input name="password" type="password" required />
      <button>Sign up</button>
    </form>
  )
}`
  const server = `import { createServerClient } from '@supabase/ssr'
import { cookies } from 'next/headers'

export async function createClient() {
  const store = await cookies()
  return createServerClient(${u}, ${k}, {
    cookieOptions: { name: ${name} }, // the same in createBrowserClient
    cookies: {
      getAll: () => store.getAll(),
      setAll: (all) => all.forEach(({ name, value, options }) => store.set(name, value, options)),
    },
  })
}

// In a server action:
const supabase = await createClient()
${signUp}`
  const flutter = `import 'package:supabase_flutter/supabase_flutter.dart';

await Supabase.initialize(url: ${u}, publishableKey: ${k});

await Supabase.instance.client.auth.signUp(
  email: 'ada@example.com',
  password: 'a long passphrase',
);`
  const swift = `import Supabase

let supabase = SupabaseClient(
  supabaseURL: URL(string: ${double(url)})!,
  supabaseKey: ${double(known)}
)

try await supabase.auth.signUp(
  email: "ada@example.com",
  password: "a long passphrase"
)`
  const python = `from supabase import create_client

supabase = create_client(${double(url)}, ${double(known)})

response = supabase.auth.sign_up({
    "email": "ada@example.com",
    "password": "a long passphrase",
})
print(response.user)`
  const curl = `curl ${quote(`${url}/auth/v1/signup`)} \\
  -H ${quote(`apikey: ${known}`)} \\
  -H 'Content-Type: application/json' \\
  -d '{"email": "ada@example.com", "password": "a long passphrase"}'`
  return [
    { label: 'JavaScript', code: `${client}\n\n${signUp}` },
    { label: 'React', code: react },
    { label: 'Next.js', code: server },
    { label: 'Flutter', code: flutter },
    { label: 'Swift', code: swift },
    { label: 'Python', code: python },
    { label: 'curl', code: curl },
  ]
}
