import { useInfiniteQuery } from '@tanstack/react-query'
import { FolderGit2, Plus } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorState } from '@/components/error'
import { FilterInput } from '@/components/filter'
import { Card, Page } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { projects as t } from '@/strings/projects'
import { CreateProject } from './createproject'
import { projectListQuery } from './list'
import { ProjectCard } from './projectcard'

export type ProjectsSearch = { q?: string; create?: true }

type Props = { slug: string; search: ProjectsSearch; onSearch: (next: ProjectsSearch) => void; mayCreate: boolean }

const grid = 'grid gap-4 sm:grid-cols-2 lg:grid-cols-3'

/** The projects of an organization. */
export function ProjectsPage({ slug, search, onSearch, mayCreate }: Props) {
  const list = useInfiniteQuery(projectListQuery(slug, search.q ?? ''))
  const rows = list.data?.pages.flatMap((page) => page.projects ?? [])
  const total = list.data?.pages[0]?.count ?? 0
  const button = mayCreate && (
    <Button kind="primary" icon={Plus} onClick={() => onSearch({ ...search, create: true })}>
      {t.create}
    </Button>
  )
  const empty = rows?.length === 0
  if (list.error && !rows) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />
  return (
    <Page title={t.title} action={!(empty && !search.q) && button} wide>
      {!(empty && !search.q) && <FilterInput main label={t.search} value={search.q ?? ''} onChange={(q) => onSearch({ ...search, q: q || undefined })} className="mb-4 w-full max-w-sm" />}
      {empty &&
        (search.q ? (
          <EmptyState icon={FolderGit2} title={t.noMatch.title} action={<Button onClick={() => onSearch({})}>{t.noMatch.clear}</Button>} />
        ) : (
          <EmptyState icon={FolderGit2} title={t.none.title} action={button}>
            <p>{t.none.text}</p>
            <CodeBlock label={t.none.cli} code={`reeve projects create "My app" --org ${slug}`} />
          </EmptyState>
        ))}
      <ul aria-label={t.list} aria-busy={!rows} className={grid}>
        {rows?.map((p) => (
          <li key={p.ref} className="min-w-0">
            <ProjectCard of={p} />
          </li>
        )) ??
          Array.from({ length: 6 }, (_, i) => (
            <li key={i}>
              <Card className="p-4">
                <Skeleton className="h-5 w-1/2" />
                <Skeleton className="mt-1 h-3 w-40" />
                <Skeleton className="mt-5 h-4 w-20" />
                <Skeleton className="mt-5 h-8 w-full" />
              </Card>
            </li>
          ))}
      </ul>
      {rows && rows.length > 0 && (
        <p className="mt-4 flex items-center gap-3 text-sm text-text-2">
          {common.showing(formatNumber(rows.length), formatNumber(total))}
          {list.hasNextPage && (
            <Button size="small" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              {common.loadMore}
            </Button>
          )}
        </p>
      )}
      {search.create && mayCreate && <CreateProject slug={slug} onClose={() => onSearch({ ...search, create: undefined })} />}
    </Page>
  )
}
