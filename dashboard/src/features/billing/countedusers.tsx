import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Calculator } from 'lucide-react'
import { Button } from '@/components/button'
import { Sheet } from '@/components/dialog'
import { ErrorNote, ErrorState } from '@/components/error'
import { Notice } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { billing } from '@/strings/billing'
import { countedUsersQuery, recountQuery } from './billing'

const t = billing.users
type Entry = Schema<'BillingEntry'>

const columns: Column<Entry>[] = [
  { id: 'user', header: t.columns.user, width: '190px', narrow: 'minmax(0,1fr)', cell: (e) => <code>{e.user}</code> },
  { id: 'first', header: t.columns.first, width: '110px', narrow: '104px', cell: (e) => <Time at={e.first_at} /> },
  { id: 'kind', header: t.columns.kind, width: 'minmax(100px,1fr)', narrow: 'hidden', cell: (e) => billing.kinds[e.kind] ?? e.kind },
  { id: 'method', header: t.columns.method, width: '110px', narrow: 'hidden', cell: (e) => e.method },
]

/** Who of a project was counted in a period, and whether that agrees with the bill. */
export function CountedUsers({ project, period, onClose }: { project: Schema<'BillingProjectUse'>; period: string; onClose: () => void }) {
  const list = useInfiniteQuery(countedUsersQuery(project.ref, period))
  const recount = useQuery({ ...recountQuery(project.ref), enabled: false })
  const n = recount.data?.differences?.length
  return (
    <Sheet
      open
      onOpenChange={(shown) => !shown && onClose()}
      title={`${t.title}: ${project.name}`}
      description={t.description}
      footer={
        <Button icon={Calculator} busy={recount.isFetching} onClick={() => void recount.refetch()}>
          {t.recount}
        </Button>
      }
    >
      <div className="space-y-3">
        {recount.error && <ErrorNote error={recount.error} />}
        {n !== undefined && <Notice tone={n > 0 ? 'danger' : 'ok'}>{n > 0 ? t.differs(n) : t.agrees}</Notice>}
        {list.error && !list.data ? (
          <ErrorState error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <Table
            label={t.title}
            columns={columns}
            rows={list.data?.pages.flatMap((p) => p.entries ?? [])}
            rowKey={(e) => e.user}
            onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
            loadingMore={list.isFetchingNextPage}
            empty={<p className="p-4 text-text-2">{t.empty}</p>}
          />
        )}
      </div>
    </Sheet>
  )
}
