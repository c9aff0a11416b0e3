export const projects = {
  title: 'Projects',
  search: 'Search by name or ref',
  create: 'Create project',
  states: {
    ACTIVE_HEALTHY: 'Active',
    COMING_UP: 'Being created',
    PAUSING: 'Pausing',
    INACTIVE: 'Paused',
    RESTORING: 'Being restored',
    INIT_FAILED: 'Creation failed',
    GOING_DOWN: 'Being deleted',
  } as Record<string, string>,
  branch: 'Branch',
  signIns: (n: string, count: number) => (count === 1 ? `${n} sign-in in 7 days` : `${n} sign-ins in 7 days`),
  users: (n: string, count: number) => (count === 1 ? `${n} user` : `${n} users`),
  list: 'Projects of this organization',
  none: {
    title: 'No projects yet',
    text: 'A project is a database of its own with sign-in for your app: users, keys, mails, settings. It is ready in about a second.',
    cli: 'Or by the command line',
  },
  noMatch: { title: 'No project has this name', clear: 'Clear the search' },
  form: {
    title: 'Create project',
    name: 'Name',
    nameHelp: 'What your team calls it. It can be changed.',
    nameMissing: 'Give it a name',
    lifetime: 'Lifetime',
    lifetimeHelp: 'An ephemeral project deletes itself, for tests and previews.',
    forever: 'Until it is deleted',
    day: '1 day',
    week: '1 week',
  },
}

export const newOrg = {
  title: 'New organization',
  description: 'An organization holds projects and the people who work on them. You become its owner.',
  name: 'Name',
  nameHelp: 'Your company, team or product.',
  nameMissing: 'Give it a name',
  create: 'Create organization',
}
