// The code by which an app uses a project. internal/snippet has the same client.
export type Connection = { ref: string; url: string; key: string }

const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`

/** A first sign-up, by the kind of app, with the true values. */
export function snippets({ ref, url, key }: Connection): { label: string; code: string }[] {
  const [u, k, name] = [quote(url), quote(key || 'YOUR_PUBLISHABLE_KEY'), quote(`sb-${ref}-auth-token`)]
  const signUp = `const { data, error } = await supabase.auth.signUp({
  email: 'ada@example.com',
  password: 'a long passphrase',
})`
  const client = `import { createClient } from '@supabase/supabase-js'

const supabase = createClient(${u}, ${k}, {
  auth: { storageKey: ${name} },
})

${signUp}`
  const server = `import { createServerClient } from '@supabase/ssr'
import { cookies } from 'next/headers'

const store = await cookies()
const supabase = createServerClient(${u}, ${k}, {
  cookieOptions: { name: ${name} },
  cookies: {
    getAll: () => store.getAll(),
    setAll: (all) => all.forEach(({ name, value, options }) => store.set(name, value, options)),
  },
})

${signUp}`
  const flutter = `import 'package:supabase_flutter/supabase_flutter.dart';

await Supabase.initialize(url: ${u}, anonKey: ${k});

await Supabase.instance.client.auth.signUp(
  email: 'ada@example.com',
  password: 'a long passphrase',
);`
  const curl = `curl ${u}/auth/v1/signup \\
  -H ${quote(`apikey: ${key || 'YOUR_PUBLISHABLE_KEY'}`)} \\
  -H 'Content-Type: application/json' \\
  -d '{"email": "ada@example.com", "password": "a long passphrase"}'`
  return [
    { label: 'JavaScript', code: client },
    { label: 'Next.js', code: server },
    { label: 'Flutter', code: flutter },
    { label: 'curl', code: curl },
  ]
}
