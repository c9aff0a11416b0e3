import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Building2, ChevronsUpDown, Plus } from 'lucide-react'
import icon from './icon.svg'
import { Menu, type MenuItem } from '@/components/menu'
import { orgsQuery } from '@/features/org/orgs'
import { projectsQuery } from '@/features/project/projects'
import { shell } from '@/strings/shell'

/** Shows where one is, and leads to another organization or project. */
export function Switcher({ slug, project }: { slug?: string; project?: { ref: string; name: string } }) {
  const navigate = useNavigate()
  const orgs = useQuery(orgsQuery)
  const projects = useQuery({ ...projectsQuery(slug ?? ''), enabled: Boolean(slug && project) })
  const org = orgs.data?.find((o) => o.slug === slug)
  const items: MenuItem[] = [
    ...(project && slug ? [{ label: shell.projects, icon: Building2, onSelect: () => void navigate({ to: '/orgs/$slug', params: { slug } }) }] : []),
    ...(projects.data?.projects ?? []).slice(0, 12).map((p) => ({ label: p.name, onSelect: () => void navigate({ to: '/p/$ref', params: { ref: p.ref } }) })),
    ...(project ? (['separator'] as const) : []),
    ...(orgs.data ?? []).map((o) => ({ label: o.name, icon: Building2, onSelect: () => void navigate({ to: '/orgs/$slug', params: { slug: o.slug } }) })),
    'separator',
    { label: shell.newOrganization, icon: Plus, onSelect: () => void navigate({ to: '/new' }) },
  ]
  return (
    <Menu
      align="start"
      items={items}
      trigger={
        <button type="button" className="flex w-full items-center gap-2 rounded p-1 text-left hover:bg-sunken">
          <img src={icon} alt="" className="size-7 shrink-0" />
          <span className="min-w-0 flex-1">
            <span className="block truncate leading-4 font-medium">{project?.name ?? org?.name ?? ' '}</span>
            <span className="block truncate text-xs text-text-3">{project ? (org?.name ?? ' ') : shell.organization}</span>
          </span>
          <ChevronsUpDown className="size-4 shrink-0 text-text-3" strokeWidth={1.5} aria-hidden />
        </button>
      }
    />
  )
}
