import { useQuery } from '@tanstack/react-query'
import { Link, useRouteContext, useRouterState } from '@tanstack/react-router'
import { Building2, CreditCard, Database, FolderGit2, House, Inbox, KeyRound, LogIn, ScrollText, Search, Settings, SlidersHorizontal, Ticket, TrendingUp, Users, type LucideIcon } from 'lucide-react'
import { kept } from '@/lib/kept'
import { cx } from '@/lib/cx'
import { orgsQuery } from '@/features/org/orgs'
import { projectPermissionsQuery } from '@/features/permission/permissions'
import { projectQuery } from '@/features/project/project'
import { shell } from '@/strings/shell'
import { openPalette } from './palettehost'
import { AccountMenu } from './accountmenu'
import { Switcher } from './switcher'

type Props = { slug?: string; projectRef?: string; inSheet?: boolean }

/** The left rail: switcher on top, at most nine entries, the account below. */
export function Rail({ slug, projectRef, inSheet }: Props) {
  const { person } = useRouteContext({ from: '/_app' })
  const project = useQuery({ ...projectQuery(projectRef ?? ''), enabled: projectRef !== undefined })
  const orgs = useQuery(orgsQuery)
  const org = slug ?? project.data?.organization_slug ?? kept.get('org') ?? orgs.data?.[0]?.slug
  return (
    <nav aria-label={shell.main} className={cx('flex h-full flex-col gap-3', !inSheet && 'p-3')}>
      <Switcher slug={org} project={project.data} />
      <button type="button" onClick={openPalette} className="flex h-8 items-center gap-2 rounded border border-line bg-surface px-2 text-sm text-text-2 hover:border-line-strong">
        <Search className="size-4" strokeWidth={1.5} aria-hidden />
        <span className="flex-1 text-left">{shell.openPalette}</span>
        <kbd className="font-sans text-xs text-text-3">Ctrl K</kbd>
      </button>
      <ul className="flex flex-1 flex-col gap-0.5 overflow-y-auto">{projectRef ? <ProjectEntries projectRef={projectRef} /> : org ? <OrgEntries slug={org} /> : null}</ul>
      <AccountMenu email={person.email} />
    </nav>
  )
}

const entry = 'flex h-8 items-center gap-2 rounded px-2 text-text-2 hover:bg-sunken hover:text-text'
const active = { className: 'bg-sunken text-text! font-medium' }

function Word({ icon: Icon, children }: { icon: LucideIcon; children: string }) {
  return (
    <>
      <Icon className="size-4 shrink-0" strokeWidth={1.5} aria-hidden />
      {children}
    </>
  )
}

function ProjectEntries({ projectRef: ref }: { projectRef: string }) {
  const t = shell.project
  const links = [
    { to: '/p/$ref', icon: House, label: t.home, exact: true },
    { to: '/p/$ref/users', icon: Users, label: t.users, needs: 'user:read' },
    { to: '/p/$ref/auth', icon: LogIn, label: t.auth, needs: 'auth_config:read' },
    { to: '/p/$ref/sso', icon: Building2, label: t.sso, needs: 'auth_config:read' },
    { to: '/p/$ref/keys', icon: KeyRound, label: t.keys, needs: 'api_key:read' },
    { to: '/p/$ref/database', icon: Database, label: t.database, needs: 'database:read' },
    { to: '/p/$ref/logs', icon: ScrollText, label: t.logs, needs: 'logs:read' },
    { to: '/p/$ref/inbox', icon: Inbox, label: t.inbox, needs: 'inbox:read' },
    { to: '/p/$ref/settings', icon: Settings, label: t.settings },
  ] as const
  // What the person may not see is left out, once the server has said so.
  const held = useQuery(projectPermissionsQuery(ref)).data
  const inBranches = useRouterState({ select: (s) => s.location.pathname === `/p/${ref}/branches` }) // a tab of the settings
  return links.filter((l) => !held || !('needs' in l) || held.includes(l.needs)).map((l) => (
    <li key={l.to}>
      <Link to={l.to} params={{ ref }} activeOptions={{ exact: 'exact' in l, includeSearch: false }} className={cx(entry, inBranches && l.to === '/p/$ref/settings' && active.className)} activeProps={active}>
        <Word icon={l.icon}>{l.label}</Word>
      </Link>
    </li>
  ))
}

function OrgEntries({ slug }: { slug: string }) {
  const t = shell.org
  const links = [
    { to: '/orgs/$slug', icon: FolderGit2, label: t.projects, exact: true },
    { to: '/orgs/$slug/members', icon: Users, label: t.members },
    { to: '/orgs/$slug/tokens', icon: Ticket, label: t.tokens },
    { to: '/orgs/$slug/usage', icon: TrendingUp, label: t.usage },
    { to: '/orgs/$slug/billing', icon: CreditCard, label: t.billing },
    { to: '/orgs/$slug/audit', icon: ScrollText, label: t.audit },
    { to: '/orgs/$slug/settings', icon: SlidersHorizontal, label: t.settings },
  ] as const
  return links.map((l) => (
    <li key={l.to}>
      <Link to={l.to} params={{ slug }} activeOptions={{ exact: 'exact' in l, includeSearch: false }} className={entry} activeProps={active}>
        <Word icon={l.icon}>{l.label}</Word>
      </Link>
    </li>
  ))
}

