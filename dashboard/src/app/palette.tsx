import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Command } from 'cmdk'
import { Dialog as Radix } from 'radix-ui'
import { useDeferredValue, useState, type ReactNode } from 'react'
import { kept } from '@/lib/kept'
import { toast } from '@/components/toast'
import { orgsQuery } from '@/features/org/orgs'
import { projectQuery } from '@/features/project/project'
import { projectListQuery } from '@/features/project/list'
import { findUsersQuery } from '@/features/user/find'
import { setTheme } from '@/lib/theme'
import { palette as t } from '@/strings/palette'
import { shell } from '@/strings/shell'
import { orgPages, projectPages } from './projectpages'

type Props = { open: boolean; onOpenChange: (open: boolean) => void; onShortcuts: () => void; slug?: string; projectRef?: string }

/** The command palette: pages, projects, users by address, actions. */
export default function Palette({ open, onOpenChange, ...rest }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]" />
        <Radix.Content aria-describedby={undefined} className="fixed top-[15dvh] left-1/2 z-50 w-[calc(100vw-32px)] max-w-lg -translate-x-1/2 overflow-hidden rounded border border-line bg-raised shadow-float">
          <Radix.Title className="sr-only">{t.title}</Radix.Title>
          <Choices {...rest} onDone={() => onOpenChange(false)} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

function Choices({ slug, projectRef: ref, onShortcuts, onDone }: Omit<Props, 'open' | 'onOpenChange'> & { onDone: () => void }) {
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const sought = useDeferredValue(text.trim())
  const orgs = useQuery(orgsQuery)
  const project = useQuery({ ...projectQuery(ref ?? ''), enabled: ref !== undefined })
  const org = slug ?? project.data?.organization_slug ?? kept.get('org') ?? orgs.data?.[0]?.slug
  const projects = useInfiniteQuery({ ...projectListQuery(org ?? '', sought), enabled: Boolean(org), placeholderData: (before) => before })
  const users = useQuery(findUsersQuery(ref ?? '', sought))
  const run = (act: () => unknown) => () => {
    onDone()
    act()
  }
  const copy = (what: string) => () => void navigator.clipboard.writeText(what).then(() => toast(t.copied(what)))
  return (
    <Command label={t.title}>
      <Command.Input value={text} onValueChange={setText} placeholder={t.placeholder} className="h-11 w-full border-b border-line bg-transparent px-4 outline-none placeholder:text-text-3" />
      <Command.List className="max-h-[50dvh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-text-3">
        <Command.Empty className="px-2 py-6 text-center text-text-2">{t.nothing}</Command.Empty>
        {ref && sought.length >= 2 && (users.data?.length ?? 0) > 0 && (
          <Command.Group heading={t.users}>
            {users.data?.map((u) => (
              // What the server found is shown, whatever the palette's own filter says.
              <Item key={u.id} value={`${sought} ${u.id}`} aside={u.name} onSelect={run(() => navigate({ to: '/p/$ref/users/$id', params: { ref, id: u.id } }))}>
                {u.email || u.phone || t.userless}
              </Item>
            ))}
          </Command.Group>
        )}
        {ref && (
          <Command.Group heading={t.pages}>
            {projectPages.map(([to, label, keys]) => (
              <Item key={to} value={label} aside={keys} onSelect={run(() => navigate({ to, params: { ref } }))}>
                {label}
              </Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading={shell.projects}>
          {projects.data?.pages[0]?.projects?.map((p) => (
            <Item key={p.ref} value={`${p.name} ${p.ref}`} aside={p.ref} onSelect={run(() => navigate({ to: '/p/$ref', params: { ref: p.ref } }))}>
              {p.name}
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading={shell.organizations}>
          {org &&
            !ref &&
            orgPages.map(([to, label, keys]) => (
              <Item key={to} value={label} aside={keys} onSelect={run(() => navigate({ to, params: { slug: org } }))}>
                {label}
              </Item>
            ))}
          {orgs.data?.map((o) => (
            <Item key={o.slug} value={`${o.name} ${o.slug}`} aside={o.slug} onSelect={run(() => navigate({ to: '/orgs/$slug', params: { slug: o.slug } }))}>
              {o.name}
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading={t.actions}>
          {org && (
            <Item value={t.createProject} onSelect={run(() => navigate({ to: '/orgs/$slug', params: { slug: org }, search: { create: true } }))}>
              {t.createProject}
            </Item>
          )}
          {ref && (
            <>
              <Item value={t.connect} onSelect={run(() => navigate({ to: '/p/$ref/start', params: { ref } }))}>
                {t.connect}
              </Item>
              {project.data && (
                <Item value={t.copyUrl} onSelect={run(copy(project.data.url))}>
                  {t.copyUrl}
                </Item>
              )}
              <Item value={t.copyRef} onSelect={run(copy(ref))}>
                {t.copyRef}
              </Item>
            </>
          )}
          <Item value={shell.account} onSelect={run(() => navigate({ to: '/account' }))}>
            {shell.account}
          </Item>
          <Item value={shell.newOrganization} onSelect={run(() => navigate({ to: '/new' }))}>
            {shell.newOrganization}
          </Item>
          {(['light', 'dark', 'system'] as const).map((theme) => (
            <Item key={theme} value={t.theme[theme]} onSelect={run(() => setTheme(theme))}>
              {t.theme[theme]}
            </Item>
          ))}
          <Item value={t.keys} aside="?" onSelect={run(onShortcuts)}>
            {t.keys}
          </Item>
        </Command.Group>
      </Command.List>
    </Command>
  )
}

function Item({ value, aside, onSelect, children }: { value: string; aside?: string; onSelect: () => void; children: ReactNode }) {
  return (
    <Command.Item value={value} onSelect={onSelect} className="flex h-9 cursor-pointer items-center gap-3 rounded-sm px-2 data-[selected=true]:bg-sunken">
      <span className="min-w-0 flex-1 truncate" dir="auto">
        {children}
      </span>
      {aside && <span className="max-w-[45%] truncate text-xs text-text-3">{aside}</span>}
    </Command.Item>
  )
}
