import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Download, ScrollText, ShieldCheck } from 'lucide-react'
import { useMemo, useState } from 'react'
import { Button } from '@/components/button'
import { ErrorNote, ErrorState } from '@/components/error'
import { FilterInput, Filters, FilterSelect } from '@/components/filter'
import { Page } from '@/components/page'
import { EmptyState, Notice, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast, toastError } from '@/components/toast'
import { download } from '@/lib/download'
import { formatNumber } from '@/lib/format'
import { audit as t } from '@/strings/audit'
import { auditQuery, exportBound, readAll, verifyQuery, type AuditEntry, type AuditRange, type AuditSearch, type Result } from './audit'
import { AuditSheet, tones } from './auditsheet'

type Named = { value: string; label: string }
type Props = { slug: string; search: AuditSearch; onSearch: (next: AuditSearch) => void; /** Members and projects by id and ref. */ members: Named[]; projects: Named[] }

/** The audit log of an organization. */
export function AuditPage({ slug, search, onSearch, members, projects }: Props) {
  const log = useInfiniteQuery(auditQuery(slug, search))
  const verdict = useQuery(verifyQuery(slug))
  const [exporting, setExporting] = useState<number>()
  const rows = useMemo(() => log.data?.pages.flatMap((page) => page.entries ?? []), [log.data])
  const set = (change: AuditSearch) => onSearch({ ...search, ...change })
  const some = Boolean(search.q || search.actor || search.action || search.project || search.result || search.range)
  if (log.error && !log.data) return <ErrorState error={log.error} onRetry={() => void log.refetch()} />

  const who = (e: AuditEntry) => e.service_token ?? (e.actor ? (members.find((m) => m.value === e.actor)?.label ?? t.former) : t.stranger)
  const project = (ref: string) => projects.find((p) => p.value === ref)?.label ?? ref
  const columns: Column<AuditEntry>[] = [
    { id: 'at', header: t.columns.at, width: '116px', cell: (e) => <Time at={e.at} /> },
    { id: 'actor', header: t.columns.actor, width: 'minmax(180px,1.5fr)', cell: (e) => <span dir="auto">{who(e)}</span> },
    { id: 'action', header: t.columns.action, width: 'minmax(180px,1.5fr)', cell: (e) => <span className="font-mono text-sm">{e.action}</span> },
    { id: 'project', header: t.columns.project, width: 'minmax(140px,1fr)', cell: (e) => (e.ref ? <span dir="auto">{project(e.ref)}</span> : <span className="text-text-3">–</span>) },
    { id: 'result', header: t.columns.result, width: '120px', cell: (e) => <Status tone={tones[e.result]}>{t.results[e.result]}</Status> },
    { id: 'ip', header: t.columns.ip, width: '132px', cell: (e) => <span className="font-mono text-sm text-text-2">{e.ip}</span> },
  ]
  const save = async () => {
    setExporting(0)
    try {
      const all = await readAll(slug, search, setExporting)
      download(`audit-${slug}-${new Date().toISOString().slice(0, 10)}.jsonl`, 'application/x-ndjson', all.map((e) => `${JSON.stringify(e)}\n`))
      toast((all.length < exportBound ? t.export.done : t.export.bound)(formatNumber(all.length)))
    } catch (error) {
      toastError(error)
    } finally {
      setExporting(undefined)
    }
  }
  return (
    <Page
      title={t.title}
      description={t.description}
      wide
      action={
        <>
          <Button icon={ShieldCheck} busy={verdict.isFetching} onClick={() => void verdict.refetch()}>
            {t.verify.action}
          </Button>
          <Button icon={Download} busy={exporting !== undefined} onClick={() => void save()}>
            {exporting ? t.export.running(formatNumber(exporting)) : t.export.action}
          </Button>
        </>
      }
    >
      <div role="status" className="mb-4 empty:hidden">
        {verdict.error && !verdict.isFetching ? (
          <ErrorNote error={verdict.error} />
        ) : (
          verdict.data && (
            <Notice tone={verdict.data.valid ? 'ok' : 'danger'} icon={ShieldCheck}>
              {verdict.data.valid ? t.verify.valid(formatNumber(verdict.data.entries)) : `${verdict.data.broken === null ? t.verify.brokenWhole : t.verify.broken(formatNumber(verdict.data.broken))} ${verdict.data.reason ?? ''} ${t.verify.advice}`}
            </Notice>
          )
        )}
      </div>
      <Filters label={t.filters}>
        <FilterInput main label={t.search} value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} className="w-full sm:w-56" />
        <FilterSelect label={t.actor} all={t.anyActor} value={search.actor ?? ''} onChange={(actor) => set({ actor: actor || undefined })} options={members} className="w-[calc(50%-4px)] sm:w-34" />
        <FilterInput label={t.action} mono value={search.action ?? ''} onChange={(action) => set({ action: action || undefined })} list={[...new Set(rows?.map((e) => e.action))].sort()} className="w-[calc(50%-4px)] sm:w-34" />
        <FilterSelect label={t.project} all={t.anyProject} value={search.project ?? ''} onChange={(project) => set({ project: project || undefined })} options={projects} className="w-[calc(50%-4px)] sm:w-34" />
        <FilterSelect label={t.result} all={t.anyResult} value={search.result ?? ''} onChange={(result) => set({ result: (result || undefined) as Result | undefined })} options={Object.entries(t.results).map(([value, label]) => ({ value, label }))} className="w-[calc(50%-4px)] sm:w-32" />
        <FilterSelect label={t.range} all={t.anyRange} value={search.range ?? ''} onChange={(range) => set({ range: (range || undefined) as AuditRange | undefined })} options={Object.entries(t.ranges).map(([value, label]) => ({ value, label }))} className="w-[calc(50%-4px)] sm:w-34" />
        {some && (
          <Button kind="quiet" onClick={() => onSearch({})}>
            {t.clear}
          </Button>
        )}
      </Filters>
      <Table
        label={t.table}
        columns={columns}
        rows={rows}
        rowKey={(e) => e.id}
        onOpen={(e) => set({ entry: e.seq })}
        onMore={log.hasNextPage ? () => void log.fetchNextPage() : undefined}
        loadingMore={log.isFetchingNextPage}
        empty={
          <EmptyState icon={ScrollText} title={some ? t.empty.none : t.empty.title}>
            {some ? t.empty.noneText : t.empty.text}
          </EmptyState>
        }
      />
      {search.entry !== undefined && rows && <AuditSheet slug={slug} seq={search.entry} row={rows.find((e) => e.seq === search.entry)} who={who} onClose={() => set({ entry: undefined })} />}
    </Page>
  )
}
