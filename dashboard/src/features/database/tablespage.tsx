import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Table2 } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorState } from '@/components/error'
import { FilterInput, Filters, FilterSelect } from '@/components/filter'
import { Page } from '@/components/page'
import { EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { formatBytes, formatNumber } from '@/lib/format'
import { database } from '@/strings/database'
import { DatabaseTabs } from './databasetabs'
import { Rls } from './rls'
import { nameOf, tablesQuery, type DatabaseTable } from './tables'
import { TableSheet } from './tablesheet'

const t = database.tables

export type TablesSearch = { q?: string; schema?: string; table?: string }

const short: Record<string, string> = { SELECT: 'S', INSERT: 'I', UPDATE: 'U', DELETE: 'D' }

function Grants({ of: grants }: { of: string[] | null }) {
  const known = (grants ?? []).filter((g) => short[g])
  if (known.length === 0) return <span className="text-text-3">{t.nothing}</span>
  return <span title={grants?.join(', ')}>{known.length === 4 ? t.all : known.map((g) => g.toLowerCase()).join(', ')}</span>
}

const columns: Column<DatabaseTable>[] = [
  {
    id: 'name',
    header: t.columns.name,
    width: 'minmax(200px,2fr)',
    cell: (r) => (
      <span className="font-mono text-sm" title={nameOf(r)}>
        <span className="text-text-2">{r.schema}.</span>
        {r.name}
      </span>
    ),
  },
  { id: 'kind', header: t.columns.kind, width: '104px', cell: (r) => r.kind },
  { id: 'rls', header: t.columns.rls, width: '156px', cell: (r) => <Rls of={r} /> },
  { id: 'policies', header: t.columns.policies, width: '80px', align: 'right', cell: (r) => formatNumber(r.policies?.length ?? 0) },
  { id: 'anon', header: t.columns.anon, width: 'minmax(96px,1fr)', cell: (r) => <Grants of={r.grants.anon} /> },
  { id: 'authenticated', header: t.columns.authenticated, width: 'minmax(96px,1fr)', cell: (r) => <Grants of={r.grants.authenticated} /> },
  { id: 'rows', header: t.columns.rows, width: '96px', align: 'right', cell: (r) => (r.row_estimate === null || r.row_estimate < 0 ? <span className="text-text-3">–</span> : t.about(formatNumber(r.row_estimate))) },
  { id: 'size', header: t.columns.size, width: '88px', align: 'right', cell: (r) => (r.bytes === null ? <span className="text-text-3">–</span> : formatBytes(r.bytes)) },
]

/** The tables of a project's database, and who may reach them. */
export function TablesPage({ projectRef, search, onSearch }: { projectRef: string; search: TablesSearch; onSearch: (next: TablesSearch) => void }) {
  const navigate = useNavigate()
  const tables = useInfiniteQuery(tablesQuery(projectRef, { search: search.q, schema: search.schema }))
  if (tables.error && !tables.data) return <ErrorState error={tables.error} onRetry={() => void tables.refetch()} />
  const rows = tables.data?.pages.flatMap((page) => page.tables ?? [])
  const schemas = tables.data?.pages[0]?.schemas ?? []
  const some = Boolean(search.q || search.schema)
  const openSql = (sql: string, as?: 'anon') => void navigate({ to: '/p/$ref/database', params: { ref: projectRef }, search: { sql, as } })
  return (
    <Page title={t.title} description={t.description} wide>
      <DatabaseTabs projectRef={projectRef} />
      <Filters label={t.search}>
        <FilterInput main label={t.search} value={search.q ?? ''} onChange={(q) => onSearch({ ...search, q: q || undefined })} />
        <FilterSelect label={t.schema} all={t.anySchema} value={search.schema ?? ''} onChange={(schema) => onSearch({ ...search, schema: schema || undefined })} options={schemas.map((s) => ({ value: s, label: s }))} />
      </Filters>
      <Table
        label={t.table}
        columns={columns}
        rows={rows}
        rowKey={nameOf}
        onOpen={(r) => onSearch({ ...search, table: nameOf(r) })}
        onMore={tables.hasNextPage ? () => void tables.fetchNextPage() : undefined}
        loadingMore={tables.isFetchingNextPage}
        empty={
          <EmptyState icon={Table2} title={some ? t.empty.none : t.empty.title} action={!some && <Button onClick={() => openSql(first)}>{t.empty.open}</Button>}>
            {!some && (
              <>
                <p>{t.empty.text}</p>
                <CodeBlock label="SQL" code={first} />
              </>
            )}
          </EmptyState>
        }
      />
      {search.table && rows && <TableSheet shown={rows.find((r) => nameOf(r) === search.table)} onClose={() => onSearch({ ...search, table: undefined })} onSql={openSql} />}
    </Page>
  )
}

const first = `create table public.notes (
  id bigint generated always as identity primary key,
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  body text not null
);
alter table public.notes enable row level security;
create policy "own notes" on public.notes to authenticated
  using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);`
