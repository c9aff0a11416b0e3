// The pages of a project with their shortcuts, for the palette and the list of keys.
import { shell } from '@/strings/shell'

export const projectPages = [
  ['/p/$ref', shell.project.home, 'g h'],
  ['/p/$ref/users', shell.project.users, 'g u'],
  ['/p/$ref/auth', shell.project.auth, 'g a'],
  ['/p/$ref/sso', shell.project.sso, 'g e'],
  ['/p/$ref/keys', shell.project.keys, 'g k'],
  ['/p/$ref/database', shell.project.database, 'g d'],
  ['/p/$ref/logs', shell.project.logs, 'g l'],
  ['/p/$ref/inbox', shell.project.inbox, 'g i'],
  ['/p/$ref/branches', shell.project.branches, 'g b'],
  ['/p/$ref/settings', shell.project.settings, 'g s'],
] as const

export const orgPages = [
  ['/orgs/$slug', shell.org.projects, 'g p'],
  ['/orgs/$slug/members', shell.org.members, ''],
  ['/orgs/$slug/tokens', shell.org.tokens, ''],
  ['/orgs/$slug/usage', shell.org.usage, ''],
  ['/orgs/$slug/audit', shell.org.audit, ''],
  ['/orgs/$slug/settings', shell.org.settings, ''],
] as const
