import { useQuery } from '@tanstack/react-query'
import { CircleCheck, RotateCw } from 'lucide-react'
import { IconButton } from '@/components/button'
import { ErrorState } from '@/components/error'
import { Section } from '@/components/page'
import { Badge, EmptyState } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast, toastError } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { operator } from '@/strings/operator'
import { jobsQuery, useRetryJob } from './installation'

const t = operator.jobs

const tasks: Column<Schema<'OperatorTask'>>[] = [
  { id: 'name', header: t.task, width: 'minmax(220px,2fr)', cell: (j) => <span className="font-mono text-sm">{j.name}</span> },
  { id: 'waiting', header: t.waiting, width: '100px', align: 'right', cell: (j) => j.waiting },
  { id: 'running', header: t.running, width: '100px', align: 'right', cell: (j) => j.running },
  { id: 'retrying', header: t.retrying, width: '100px', align: 'right', cell: (j) => j.retrying },
  { id: 'failed', header: t.failed, width: '100px', align: 'right', cell: (j) => j.failed },
  { id: 'done', header: t.lastDone, width: '150px', cell: (j) => <Time at={j.last_done} none={t.never} /> },
]

const failures: Column<Schema<'OperatorFailure'>>[] = [
  { id: 'name', header: t.task, width: 'minmax(160px,1fr)', cell: (f) => <span className="font-mono text-sm">{f.name}</span> },
  { id: 'ref', header: t.project, width: '190px', cell: (f) => <span className="font-mono text-sm">{f.ref || '–'}</span> },
  { id: 'error', header: t.error, width: 'minmax(240px,3fr)', cell: (f) => <span title={f.error}>{f.error}</span> },
  { id: 'attempt', header: t.attempt, width: '90px', align: 'right', cell: (f) => f.attempt },
  { id: 'at', header: t.at, width: '130px', cell: (f) => <Time at={f.at} /> },
  { id: 'next', header: t.next, width: '130px', cell: (f) => (f.given_up ? <Badge tone="danger">{t.failed}</Badge> : <Time at={f.next_at} />) },
]

/** The scheduled work of the installation. */
export function Jobs() {
  const jobs = useQuery(jobsQuery)
  const retry = useRetryJob()
  if (jobs.error) return <ErrorState error={jobs.error} onRetry={() => void jobs.refetch()} />
  const again = async (id: string) => {
    try {
      await retry.mutateAsync(id)
      toast(t.retried)
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <>
      <Section title={t.failures}>
        <Table
          label={t.failures}
          columns={failures}
          rows={jobs.data && (jobs.data.failures ?? [])}
          rowKey={(f) => f.id}
          maxHeight="320px"
          rowMenu={(f) => <IconButton icon={RotateCw} label={t.retry} onClick={() => void again(f.id)} />}
          empty={<EmptyState icon={CircleCheck} title={t.noFailures} />}
        />
      </Section>
      <Section title={t.tasks}>
        <Table label={t.tasks} columns={tasks} rows={jobs.data && (jobs.data.tasks ?? [])} rowKey={(j) => j.name} empty={<EmptyState title={t.never} />} />
      </Section>
    </>
  )
}
