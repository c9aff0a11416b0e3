import { useInfiniteQuery } from '@tanstack/react-query'
import { SearchX } from 'lucide-react'
import { ErrorState } from '@/components/error'
import { Input } from '@/components/input'
import { Badge, EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { operator as t } from '@/strings/operator'
import { allOrganizationsQuery } from './installation'

const columns: Column<Schema<'OperatorOrganization'>>[] = [
  { id: 'name', header: t.columns.name, width: 'minmax(220px,2fr)', narrow: '150px', cell: (o) => <bdi className="font-medium">{o.name}</bdi> },
  { id: 'slug', header: t.columns.slug, width: 'minmax(160px,1fr)', narrow: '130px', cell: (o) => <span className="font-mono text-sm">{o.slug}</span> },
  { id: 'plan', header: t.columns.plan, width: '120px', cell: (o) => <Badge>{o.plan}</Badge> },
  { id: 'members', header: t.columns.members, width: '110px', align: 'right', cell: (o) => formatNumber(o.members) },
  { id: 'projects', header: t.columns.projects, width: '110px', align: 'right', cell: (o) => formatNumber(o.projects) },
  { id: 'created', header: t.columns.created, width: '150px', cell: (o) => <Time at={o.created_at} /> },
]

type Props = { q: string; onSearch: (q: string) => void; onOpen: (slug: string) => void }

/** All organizations of the installation. */
export function AllOrganizations({ q, onSearch, onOpen }: Props) {
  const found = useInfiniteQuery(allOrganizationsQuery(q))
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />
  return (
    <>
      <Input type="search" aria-label={common.search} placeholder={t.searchOrganizations} className="mb-3 sm:max-w-72" defaultValue={q} onChange={(e) => onSearch(e.target.value)} />
      <Table
        label={t.tabs.organizations}
        columns={columns}
        rows={found.data?.pages.flatMap((page) => page.organizations ?? [])}
        rowKey={(o) => o.slug}
        onOpen={(o) => onOpen(o.slug)}
        onMore={found.hasNextPage ? () => void found.fetchNextPage() : undefined}
        loadingMore={found.isFetchingNextPage}
        empty={
          <EmptyState icon={SearchX} title={t.emptyOrganizations.title}>
            {t.emptyOrganizations.text}
          </EmptyState>
        }
      />
    </>
  )
}
