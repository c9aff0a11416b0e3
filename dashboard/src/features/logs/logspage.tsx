import { useInfiniteQuery } from '@tanstack/react-query'
import { Pause, Play, Radio, ScrollText, Square } from 'lucide-react'
import { useMemo } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorState } from '@/components/error'
import { Page } from '@/components/page'
import { Badge, EmptyState, Notice, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { formatNumber } from '@/lib/format'
import { logs as t } from '@/strings/logs'
import { LogFilters } from './logfilters'
import { logsQuery, type LogEntry, type LogSearch } from './logs'
import { LogSheet, tones } from './logsheet'
import { useTail } from './tail'

type Props = { projectRef: string; search: LogSearch; onSearch: (next: LogSearch) => void }

// On a phone the message is what has to be in sight, with its level before it; the panel of a row has the rest.
const columns: Column<LogEntry>[] = [
  { id: 'at', header: t.columns.at, width: '116px', narrow: '104px', cell: (e) => <Time at={e.at} /> },
  { id: 'level', header: t.columns.level, width: '108px', narrow: 'hidden', cell: (e) => <Status tone={tones[e.level]}>{t.levels[e.level]}</Status> },
  { id: 'code', header: t.columns.code, width: 'minmax(190px,1fr)', narrow: 'hidden', cell: (e) => <span className="font-mono text-sm">{e.code}</span> },
  {
    id: 'message',
    header: t.columns.message,
    width: 'minmax(240px,3fr)',
    narrow: 'minmax(0,1fr)',
    cell: (e) => (
      <span title={e.message}>
        <span className="mr-1.5 sm:hidden">
          <Badge tone={tones[e.level]}>{t.levels[e.level]}</Badge>
        </span>
        {e.message}
      </span>
    ),
  },
  { id: 'route', header: t.columns.route, width: 'minmax(180px,1fr)', narrow: 'hidden', cell: (e) => <span title={e.route} className="font-mono text-sm text-text-2">{e.route}</span> },
  { id: 'count', header: t.columns.count, width: '72px', narrow: 'hidden', align: 'right', cell: (e) => formatNumber(e.count) },
]

/** A project's log: search, and live. */
export function LogsPage({ projectRef, search, onSearch }: Props) {
  const live = search.live === true
  const logs = useInfiniteQuery(logsQuery(projectRef, search))
  const tail = useTail(projectRef, search, live)
  const rows = useMemo(() => {
    const found = logs.data?.pages.flatMap((page) => page.logs ?? [])
    if (!found) return undefined
    const known = new Set(tail.shown.map((e) => e.id))
    return [...tail.shown, ...found.filter((e) => !known.has(e.id))]
  }, [logs.data, tail.shown])
  const some = Boolean(search.q || search.level || search.code || search.user || search.request || search.range)
  if (logs.error && !logs.data) return <ErrorState error={logs.error} onRetry={() => void logs.refetch()} />
  return (
    <Page
      title={t.title}
      description={t.description}
      wide
      action={
        live ? (
          <Button icon={Square} onClick={() => onSearch({ ...search, live: undefined })}>
            {t.live.stop}
          </Button>
        ) : (
          <Button kind="primary" icon={Radio} onClick={() => onSearch({ ...search, live: true })}>
            {t.live.start}
          </Button>
        )
      }
    >
      <LogFilters search={search} onSearch={onSearch} />
      {live && (
        <div className="mb-3" role="region" aria-label={t.live.label}>
          <Notice
            tone={tail.failed ? 'warn' : tail.paused ? 'neutral' : 'ok'}
            icon={tail.paused ? Pause : Radio}
            action={
              <Button size="small" icon={tail.paused ? Play : Pause} onClick={tail.paused ? tail.resume : tail.pause}>
                {tail.paused ? t.live.resume : t.live.pause}
              </Button>
            }
          >
            <span role="status">
              {tail.failed ? t.live.failed : tail.paused ? `${t.live.paused}${tail.waiting.length > 0 ? `: ${t.live.waiting(tail.waiting.length)}` : ''}` : t.live.on}
              {tail.dropped > 0 && `. ${t.live.dropped(tail.dropped)}`}
            </span>
          </Notice>
        </div>
      )}
      <Table
        label={t.table}
        columns={columns}
        rows={rows}
        rowKey={(e) => e.id}
        onOpen={(e) => onSearch({ ...search, entry: e.id })}
        onMore={logs.hasNextPage ? () => void logs.fetchNextPage() : undefined}
        loadingMore={logs.isFetchingNextPage}
        empty={
          <EmptyState icon={ScrollText} title={some ? t.empty.none : t.empty.title} action={some && <Button onClick={() => onSearch({ live: search.live })}>{t.clear}</Button>}>
            <p>{some ? t.empty.noneText : t.empty.text}</p>
            {!some && <CodeBlock label={t.empty.snippet} code={`reeve logs --project ${projectRef} --follow`} />}
          </EmptyState>
        }
      />
      {search.entry && rows && <LogSheet projectRef={projectRef} id={search.entry} row={rows.find((e) => e.id === search.entry)} onClose={() => onSearch({ ...search, entry: undefined })} />}
    </Page>
  )
}
