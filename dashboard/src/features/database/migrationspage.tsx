import { useQuery } from '@tanstack/react-query'
import { ListOrdered } from 'lucide-react'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { Sheet } from '@/components/dialog'
import { ErrorNote, ErrorState } from '@/components/error'
import { Page } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { database } from '@/strings/database'
import { DatabaseTabs } from './databasetabs'
import { migrationQuery, migrationsQuery, type MigrationName } from './migrations'

const t = database.migrations

const columns: Column<MigrationName>[] = [
  { id: 'version', header: t.columns.version, width: '220px', cell: (m) => <Copyable text={m.version} /> },
  { id: 'name', header: t.columns.name, width: 'minmax(200px,1fr)', cell: (m) => m.name || <span className="text-text-3">{t.unnamed}</span> },
]

/** The migrations that were run. */
export function MigrationsPage({ projectRef, open, onOpen }: { projectRef: string; open: string | undefined; onOpen: (version: string | undefined) => void }) {
  const migrations = useQuery(migrationsQuery(projectRef))
  if (migrations.error && !migrations.data) return <ErrorState error={migrations.error} onRetry={() => void migrations.refetch()} />
  return (
    <Page title={t.title} description={t.description} wide>
      <DatabaseTabs projectRef={projectRef} />
      <Table
        label={t.table}
        columns={columns}
        rows={migrations.data}
        rowKey={(m) => m.version}
        onOpen={(m) => onOpen(m.version)}
        empty={
          <EmptyState icon={ListOrdered} title={t.empty.title}>
            <p>{t.empty.text}</p>
            <CodeBlock label={t.empty.snippet} code={'supabase migration new create_notes\nsupabase db push --db-url "$DB_URL"'} />
          </EmptyState>
        }
      />
      {open && <MigrationSheet projectRef={projectRef} version={open} onClose={() => onOpen(undefined)} />}
    </Page>
  )
}

function MigrationSheet({ projectRef, version, onClose }: { projectRef: string; version: string; onClose: () => void }) {
  const { data, error } = useQuery(migrationQuery(projectRef, version))
  const d = t.detail
  return (
    <Sheet open onOpenChange={(open) => !open && onClose()} title={data?.name || version} description={version}>
      {error ? (
        <ErrorNote error={error} />
      ) : !data ? (
        <Skeleton className="h-40 w-full" />
      ) : (
        <div className="space-y-4">
          {data.created_by && (
            <p className="text-text-2">
              {d.by} {data.created_by}
            </p>
          )}
          {(data.statements ?? []).length > 0 ? <CodeBlock label={d.statements} code={(data.statements ?? []).join(';\n\n')} /> : <p className="text-text-2">{d.none}</p>}
          {(data.rollback ?? []).length > 0 && <CodeBlock label={d.rollback} code={(data.rollback ?? []).join(';\n\n')} />}
        </div>
      )}
    </Sheet>
  )
}
