import { fail, redirect } from '@sveltejs/kit'

export function load({ locals, url }) {
  if (locals.user) redirect(303, '/account')
  return { error: url.searchParams.get('error') }
}

const provider = 'custom:acme'

/** The form's fields, as strings. */
const fields = async (request) => Object.fromEntries(await request.formData())

export const actions = {
  async password({ request, locals }) {
    const { email, password } = await fields(request)
    const { error } = await locals.supabase.auth.signInWithPassword({ email, password })
    if (error) return fail(400, { error: error.message })
    redirect(303, '/account')
  },

  // The mail has a link, which leads to the callback, and a code to type.
  async mail({ request, locals, url }) {
    const { email } = await fields(request)
    const { error } = await locals.supabase.auth.signInWithOtp({ email, options: { emailRedirectTo: `${url.origin}/auth/callback` } })
    return error ? fail(400, { error: error.message }) : { sent: email }
  },

  async code({ request, locals }) {
    const { email, token } = await fields(request)
    const { error } = await locals.supabase.auth.verifyOtp({ email, token, type: 'email' })
    if (error) return fail(400, { error: error.message, sent: email })
    redirect(303, '/account')
  },

  async oauth({ locals, url }) {
    const { data, error } = await locals.supabase.auth.signInWithOAuth({ provider, options: { redirectTo: `${url.origin}/auth/callback` } })
    if (error) return fail(400, { error: error.message })
    redirect(303, data.url)
  },
}
