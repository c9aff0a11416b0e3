import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Download, MailPlus, Plus, SearchX } from 'lucide-react'
import { useMemo, useState } from 'react'
import { Button } from '@/components/button'
import { FilterChips } from '@/components/chips'
import { ErrorState } from '@/components/error'
import { FilterInput } from '@/components/filter'
import { Page } from '@/components/page'
import { EmptyState } from '@/components/state'
import { BulkBar, Table } from '@/components/table'
import { users as t } from '@/strings/users'
import type { Action } from './bulk'
import { BulkDialog, bulkActions } from './bulkdialog'
import { columns } from './columns'
import { CreateDialog } from './createdialog'
import { ExportDialog } from './exportdialog'
import { filterChoices } from './filters'
import { InviteDialog } from './invitedialog'
import { RowMenu } from './rowmenu'
import { filtered, type UsersSearch } from './search'
import { usersQuery, type Summary } from './users'

type Props = {
  projectRef: string
  search: UsersSearch
  onSearch: (change: UsersSearch) => void
  /** What stands in place of the list of a project without users. */
  empty: (create: () => void) => React.ReactNode
  mayWrite: boolean
}

type Opened = { dialog: 'create' | 'invite' | 'export' } | { dialog: 'bulk'; action: Action; users: Summary[] }

/** The users of a project. */
export function UsersPage({ projectRef, search, onSearch, empty, mayWrite }: Props) {
  const navigate = useNavigate()
  const list = useInfiniteQuery(usersQuery(projectRef, search))
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.users ?? []), [list.data])
  const [selection, select] = useState<Set<string>>(new Set())
  const [opened, open] = useState<Opened>()
  const first = list.data?.pages[0]
  const chosen = useMemo(() => rows?.filter((u) => selection.has(u.id)) ?? [], [rows, selection])
  const close = () => open(undefined)
  const ask = (action: Action, users: Summary[]) => open({ dialog: 'bulk', action, users })
  const bare = rows?.length === 0 && !filtered(search)
  const finds = first && search.q ? t.finds[first.search] : ''
  return (
    <Page
      title={t.title}
      wide
      action={
        <>
          {!bare && (
            <Button icon={Download} onClick={() => open({ dialog: 'export' })}>
              {t.export}
            </Button>
          )}
          {mayWrite && (
            <>
              <Button icon={MailPlus} onClick={() => open({ dialog: 'invite' })}>
                {t.invite}
              </Button>
              <Button kind="primary" icon={Plus} onClick={() => open({ dialog: 'create' })}>
                {t.create}
              </Button>
            </>
          )}
        </>
      }
    >
      {bare ? (
        empty(() => open({ dialog: 'create' }))
      ) : (
        <>
          <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2">
            <FilterInput main label={t.searchLabel} placeholder={t.searchHint} value={search.q ?? ''} onChange={(q) => onSearch({ q: q || undefined })} className="w-full sm:w-80" />
            <FilterChips label={t.filters.label} filters={filterChoices(search.provider)} value={search} onChange={(key, value) => onSearch({ [key]: value })} />
          </div>
          {(finds || first?.indexing) && (
            <p role="status" className="mb-2 text-sm text-text-2">
              {finds} {first?.indexing && t.indexing}
            </p>
          )}
          <BulkBar count={chosen.length} onClear={() => select(new Set())}>
            {bulkActions.map((action) => (
              <Button key={action} size="small" kind={action === 'delete' ? 'danger' : 'secondary'} onClick={() => ask(action, chosen)}>
                {t.bulk[action]}
              </Button>
            ))}
          </BulkBar>
          {list.error && !list.data ? (
            <ErrorState error={list.error} onRetry={() => void list.refetch()} />
          ) : (
            <Table
              label={t.label}
              columns={columns}
              rows={rows}
              rowKey={(u) => u.id}
              onOpen={(u) => void navigate({ to: '/p/$ref/users/$id', params: { ref: projectRef, id: u.id } })}
              rowMenu={(u) => <RowMenu user={u} projectRef={projectRef} onAct={mayWrite ? (action) => ask(action, [u]) : undefined} />}
              sort={{ by: search.sort ?? 'created_at', descending: search.order !== 'asc' }}
              onSort={({ by, descending }) => onSearch({ sort: by as UsersSearch['sort'], order: descending ? undefined : 'asc' })}
              {...(mayWrite && { selection, onSelect: select })}
              onMore={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
              loadingMore={list.isFetchingNextPage}
              total={first?.total}
              totalIsEstimate={first?.total_is_estimate}
              empty={
                <EmptyState icon={SearchX} title={t.none.title} action={<Button onClick={() => onSearch({ q: undefined, state: undefined, kind: undefined, provider: undefined, created: undefined, seen: undefined })}>{t.filters.clear}</Button>}>
                  {t.none.text(search.q ?? '')}
                </EmptyState>
              }
            />
          )}
        </>
      )}
      <CreateDialog projectRef={projectRef} open={opened?.dialog === 'create'} onClose={close} />
      <InviteDialog projectRef={projectRef} open={opened?.dialog === 'invite'} onClose={close} />
      <ExportDialog projectRef={projectRef} search={search} open={opened?.dialog === 'export'} onClose={close} />
      {opened?.dialog === 'bulk' && (
        <BulkDialog
          key={opened.action}
          projectRef={projectRef}
          action={opened.action}
          users={opened.users}
          onClose={(left) => {
            close()
            if (left) select(left)
          }}
        />
      )}
    </Page>
  )
}
