import { useInfiniteQuery } from '@tanstack/react-query'
import { History } from 'lucide-react'
import { CodeBlock } from '@/components/code'
import { ErrorState } from '@/components/error'
import { Badge, EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { projectSettings } from '@/strings/projectsettings'
import { useNames } from './names'
import { VersionSheet } from './version'
import { versionsQuery, type Version } from './versions'

const t = projectSettings.history

type Props = { projectRef: string; /** The name of a person by id. */ author: (id: string | undefined) => string; open?: number; from?: number; onOpen: (version?: number, from?: number) => void }

/** The versions of the sign-in settings: who changed what, when and why. */
export function HistoryPage({ projectRef: ref, author, open, from, onOpen }: Props) {
  const versions = useInfiniteQuery(versionsQuery(ref))
  const { label } = useNames(ref)
  if (versions.error && !versions.data) return <ErrorState error={versions.error} onRetry={() => void versions.refetch()} />
  const rows = versions.data?.pages.flat()
  const inForce = rows?.find((v) => v.in_force)?.version
  const columns: Column<Version>[] = [
    {
      id: 'version',
      header: t.columns.version,
      width: '140px',
      cell: (v) => (
        <span className="tabular flex items-center gap-2">
          {v.version}
          {v.in_force && <Badge tone="ok">{t.inForce}</Badge>}
        </span>
      ),
    },
    { id: 'when', header: t.columns.when, width: '130px', cell: (v) => <Time at={v.created_at} /> },
    { id: 'author', header: t.columns.author, width: 'minmax(150px,1fr)', cell: (v) => author(v.author) },
    { id: 'reason', header: t.columns.reason, width: 'minmax(140px,1fr)', cell: (v) => v.reason ?? <span className="text-text-3">–</span> },
    { id: 'changed', header: t.columns.changed, width: 'minmax(220px,2fr)', cell: (v) => changedIn(v, label) },
  ]
  return (
    <>
      <Table
        label={t.label}
        columns={columns}
        rows={rows}
        rowKey={(v) => String(v.version)}
        onOpen={(v) => onOpen(v.version)}
        onMore={versions.hasNextPage ? () => void versions.fetchNextPage() : undefined}
        loadingMore={versions.isFetchingNextPage}
        empty={
          <EmptyState icon={History} title={t.empty}>
            <p>{t.emptyText}</p>
            <CodeBlock label="Shell" code={`reeve config history --project ${ref}`} />
          </EmptyState>
        }
      />
      {open !== undefined && rows && <VersionSheet projectRef={ref} version={open} versions={rows} inForce={inForce} author={author} from={from} onFrom={(next) => onOpen(open, next)} onClose={() => onOpen()} />}
    </>
  )
}

function changedIn(v: Version, label: (name: string) => string) {
  const names = v.changed ?? []
  if (names.length === 0) return <span className="text-text-3">{v.version === 1 ? t.first : t.same}</span>
  const shown = names.slice(0, 2).map(label).join(', ')
  return (
    <span title={names.map(label).join(', ')}>
      {shown}
      {names.length > 2 && <span className="text-text-2"> {t.more(names.length - 2)}</span>}
    </span>
  )
}
