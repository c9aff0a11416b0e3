import { useInfiniteQuery } from '@tanstack/react-query'
import { SearchX } from 'lucide-react'
import { ErrorState } from '@/components/error'
import { Input, Select } from '@/components/input'
import { Badge, EmptyState, Status, type Tone } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { operator as t } from '@/strings/operator'
import { allProjectsQuery, type ProjectFilter, type Status as ProjectStatus, type Trouble } from './installation'

type Project = Schema<'OperatorProject'>

export const statuses: ProjectStatus[] = ['active', 'paused', 'creating', 'pausing', 'restoring', 'failed', 'deleting']
export const troubles: Trouble[] = ['failing', 'behind', 'shut_out', 'errors']

const tones: Record<string, Tone> = { active: 'ok', failed: 'danger', paused: 'neutral' }

const columns = (some: boolean): Column<Project>[] => [
  {
    id: 'name',
    header: t.columns.name,
    width: 'minmax(220px,2fr)',
    narrow: '190px',
    cell: (p) => (
      <span className="flex min-w-0 items-center gap-2">
        <bdi className="truncate font-medium">{p.name}</bdi>
        {p.platform && <Badge tone="info">{t.platform}</Badge>}
        {p.branch_of && <Badge>{t.branch}</Badge>}
        {p.expires_at && <Badge>{t.ephemeral}</Badge>}
      </span>
    ),
  },
  { id: 'organization', header: t.columns.organization, width: 'minmax(110px,1fr)', narrow: '120px', cell: (p) => p.organization_slug },
  { id: 'ref', header: t.columns.ref, width: '190px', cell: (p) => <span className="font-mono text-sm">{p.ref}</span> },
  { id: 'status', header: t.columns.status, width: '110px', cell: (p) => <Status tone={tones[p.status] ?? 'info'}>{t.statuses[p.status] ?? p.status}</Status> },
  { id: 'signins', header: t.columns.signIns, width: '80px', align: 'right', cell: (p) => formatNumber(p.sign_ins) },
  { id: 'refusals', header: t.columns.refusals, width: '80px', align: 'right', cell: (p) => formatNumber(p.refusals) },
  { id: 'errors', header: t.columns.errors, width: '90px', align: 'right', cell: (p) => <span className={p.errors > 0 ? 'text-danger' : undefined}>{formatNumber(p.errors)}</span> },
  // Most of the time nothing is wrong anywhere.
  ...(some ? [{ id: 'problem', header: t.columns.problem, width: 'minmax(140px,1fr)', cell: (p: Project) => (p.shut_out_until ? <Badge tone="warn">{t.suspended}</Badge> : <span title={p.last_error}>{p.last_error || '–'}</span>) } satisfies Column<Project>] : []),
  { id: 'created', header: t.columns.created, width: '110px', cell: (p) => <Time at={p.created_at} /> },
]

type Props = { filter: ProjectFilter; onFilter: (filter: ProjectFilter) => void; onOpen: (ref: string) => void }

/** All projects of the installation. */
export function AllProjects({ filter, onFilter, onOpen }: Props) {
  const found = useInfiniteQuery(allProjectsQuery(filter))
  const rows = found.data?.pages.flatMap((page) => page.projects ?? [])
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />
  return (
    <>
      <div className="mb-3 flex flex-wrap gap-2">
        <Input type="search" aria-label={common.search} placeholder={t.search} className="sm:max-w-72" defaultValue={filter.q ?? ''} onChange={(e) => onFilter({ ...filter, q: e.target.value || undefined })} />
        <Select aria-label={t.status} className="w-[calc(50%-4px)] sm:w-40" value={filter.status ?? ''} onChange={(e) => onFilter({ ...filter, status: statuses.find((s) => s === e.target.value) })}>
          <option value="">{t.anyStatus}</option>
          {statuses.map((s) => (
            <option key={s} value={s}>
              {t.statuses[s]}
            </option>
          ))}
        </Select>
        <Select aria-label={t.trouble} className="w-[calc(50%-4px)] sm:w-56" value={filter.trouble ?? ''} onChange={(e) => onFilter({ ...filter, trouble: troubles.find((s) => s === e.target.value) })}>
          <option value="">{t.any}</option>
          {troubles.map((s) => (
            <option key={s} value={s}>
              {t.troubles[s]}
            </option>
          ))}
        </Select>
      </div>
      <Table
        label={t.tabs.projects}
        columns={columns(rows?.some((p) => p.shut_out_until || p.last_error) ?? false)}
        rows={rows}
        rowKey={(p) => p.ref}
        onOpen={(p) => onOpen(p.ref)}
        onMore={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
        loadingMore={found.isFetchingNextPage}
        empty={
          <EmptyState icon={SearchX} title={t.emptyProjects.title}>
            {t.emptyProjects.text}
          </EmptyState>
        }
      />
      <p className="mt-2 text-sm text-text-2">{t.window}</p>
    </>
  )
}
