import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { Dialog as Radix } from 'radix-ui'
import { orgsQuery } from '@/features/org/orgs'
import { projectsQuery } from '@/features/project/projects'
import { palette } from '@/strings/palette'
import { shell } from '@/strings/shell'

type Props = { open: boolean; onOpenChange: (open: boolean) => void; slug?: string; projectRef?: string }

const item = 'flex h-9 cursor-pointer items-center gap-3 rounded-sm px-2 data-[selected=true]:bg-sunken'

/** The command palette: pages, projects, organizations. */
export default function Palette({ open, onOpenChange, slug, projectRef: ref }: Props) {
  const navigate = useNavigate()
  const orgs = useQuery(orgsQuery)
  const org = slug ?? localStorage.getItem('reeve-org') ?? orgs.data?.[0]?.slug
  const projects = useQuery({ ...projectsQuery(org ?? ''), enabled: Boolean(org) })
  const run = (act: () => unknown) => () => {
    onOpenChange(false)
    act()
  }
  const pages = ref
    ? ([
        ['/p/$ref', shell.project.home, 'g h'],
        ['/p/$ref/users', shell.project.users, 'g u'],
        ['/p/$ref/auth', shell.project.auth, 'g a'],
        ['/p/$ref/keys', shell.project.keys, 'g k'],
        ['/p/$ref/database', shell.project.database, 'g d'],
        ['/p/$ref/logs', shell.project.logs, 'g l'],
        ['/p/$ref/inbox', shell.project.inbox, 'g i'],
        ['/p/$ref/branches', shell.project.branches, ''],
        ['/p/$ref/settings', shell.project.settings, ''],
      ] as const)
    : []
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]" />
        <Radix.Content aria-describedby={undefined} className="fixed top-[15dvh] left-1/2 z-50 w-[calc(100vw-32px)] max-w-lg -translate-x-1/2 overflow-hidden rounded border border-line bg-raised shadow-float">
          <Radix.Title className="sr-only">{palette.title}</Radix.Title>
          <Command label={palette.title}>
            <Command.Input placeholder={palette.placeholder} className="h-11 w-full border-b border-line bg-transparent px-4 outline-none placeholder:text-text-3" />
            <Command.List className="max-h-[50dvh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-text-3">
              <Command.Empty className="px-2 py-6 text-center text-text-2">{palette.nothing}</Command.Empty>
              {ref && (
                <Command.Group heading={palette.pages}>
                  {pages.map(([to, label, keys]) => (
                    <Command.Item key={to} value={label} className={item} onSelect={run(() => navigate({ to, params: { ref } }))}>
                      <span className="flex-1">{label}</span>
                      <kbd className="font-sans text-xs text-text-3">{keys}</kbd>
                    </Command.Item>
                  ))}
                </Command.Group>
              )}
              <Command.Group heading={shell.projects}>
                {projects.data?.projects?.map((p) => (
                  <Command.Item key={p.ref} value={`${p.name} ${p.ref}`} className={item} onSelect={run(() => navigate({ to: '/p/$ref', params: { ref: p.ref } }))}>
                    <span className="min-w-0 flex-1 truncate">{p.name}</span>
                    <span className="font-mono text-xs text-text-3">{p.ref}</span>
                  </Command.Item>
                ))}
              </Command.Group>
              <Command.Group heading={shell.organizations}>
                {orgs.data?.map((o) => (
                  <Command.Item key={o.slug} value={`${o.name} ${o.slug}`} className={item} onSelect={run(() => navigate({ to: '/orgs/$slug', params: { slug: o.slug } }))}>
                    {o.name}
                  </Command.Item>
                ))}
                <Command.Item value={shell.account} className={item} onSelect={run(() => navigate({ to: '/account' }))}>
                  {shell.account}
                </Command.Item>
              </Command.Group>
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
