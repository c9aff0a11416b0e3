// Where links in mails and sign-ins at providers come back to.
import { redirect } from '@sveltejs/kit'
import { saveProfile } from '$lib/profiles.js'

export async function GET({ url, locals }) {
  const code = url.searchParams.get('code')
  if (!code) refuse(url.searchParams.get('error_description') ?? 'The link has no code')
  const { data, error } = await locals.supabase.auth.exchangeCodeForSession(code)
  if (error) refuse(error.message)
  await saveProfile(data.user)
  redirect(303, '/account')
}

function refuse(message) {
  redirect(303, `/?${new URLSearchParams({ error: message })}`)
}
