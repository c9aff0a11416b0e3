// The words about who must use a second factor.
export const mfaPolicy = {
  title: 'Who must use a second factor',
  text: 'Until a session has what is asked of it, its user can enroll and use factors, and do nothing else. It holds for sessions of before, too, and at once.',
  choices: {
    off: { label: 'Nobody', text: 'Your app and its policies decide when to ask for a second factor.' },
    optional: { label: 'Whoever has one', text: 'Users without a factor are not asked. Those who enrolled one must use it at each sign-in.' },
    required: { label: 'Everybody', text: 'Users without a factor must enroll one, and use it at each sign-in.' },
    by_role: { label: 'Users with certain roles', text: 'Those whose app_metadata has one of the roles below must enroll a factor. Whoever has one must use it.' },
    without_sso: { label: 'Everybody but users of SSO', text: 'Users who sign in at a company’s identity provider alone are left to it.' },
  } as Record<string, { label: string; text: string }>,
  roles: { label: 'Roles', help: 'Values of role, or in the list roles, of the app metadata of a user. Users cannot write it.', example: 'admin' },
  grace: { label: 'Time to enroll a factor', help: 'From the sign-up, or from when the policy began, whichever is later. Whoever has a factor has no such time.' },
  since: {
    label: 'The policy begins at',
    help: 'It is set by itself when more users come to need a factor. A later time announces the policy.',
    begins: (when: string) => `Users without a factor are asked from ${when} on.`,
    until: (when: string) => `Users who signed up before have until ${when} to enroll a factor.`,
    over: (when: string) => `The time of users who signed up before ended on ${when}.`,
  },
  data: 'Your tables decide for themselves: rows of a table are closed to such sessions by a policy beside its other ones.',
  snippet: `create policy "two factors" on public.payouts as restrictive
  for all to authenticated
  using ((select auth.require_aal2()));
`,
  snippetLabel: 'SQL',
  factors: { title: 'Factors', text: 'Which ones users can enroll, and which are accepted.' },
}
