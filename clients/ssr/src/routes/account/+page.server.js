import { redirect } from '@sveltejs/kit'
import { profileOf } from '$lib/profiles.js'

export async function load({ locals }) {
  if (!locals.user) redirect(303, '/')
  return { email: locals.user.email, profile: await profileOf(locals.user) }
}

export const actions = {
  async default({ locals }) {
    await locals.supabase.auth.signOut()
    redirect(303, '/')
  },
}
