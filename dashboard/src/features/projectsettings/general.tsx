import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { DiffBar } from '@/components/diff'
import { ErrorState } from '@/components/error'
import { FormRow } from '@/components/form'
import { Input } from '@/components/input'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Skeleton, Status } from '@/components/state'
import { Time } from '@/components/time'
import { toast, toastError } from '@/components/toast'
import { projectQuery } from '@/features/project/project'
import type { Schema } from '@/lib/api/client'
import { useDraft } from '@/lib/draft'
import { projectSettings as t } from '@/strings/projectsettings'
import { useDelete, usePause, useRename, useRestore } from './change'
import { DatabasePassword } from './databasepassword'

type Project = Schema<'ProjectWithDatabase'>
export type Rights = { rename: boolean; pause: boolean; password: boolean; remove: boolean }

/** The project itself: its name, its state, its end. */
export function GeneralPage({ projectRef: ref, rights, onDeleted }: { projectRef: string; rights: Rights; onDeleted: (slug: string) => void }) {
  const project = useQuery(projectQuery(ref))
  if (project.error) return <ErrorState error={project.error} onRetry={() => void project.refetch()} />
  if (!project.data) return <Skeleton className="h-64 w-full" />
  const p = project.data
  return (
    <>
      <Name project={p} allowed={rights.rename} />
      <DatabasePassword projectRef={ref} allowed={rights.password} />
      <Pause project={p} allowed={rights.pause} />
      <Delete project={p} allowed={rights.remove} onDeleted={() => onDeleted(p.organization_slug)} />
    </>
  )
}

function Name({ project: p, allowed }: { project: Project; allowed: boolean }) {
  const [draft, setDraft] = useDraft<{ name?: string }>(`name of ${p.ref}`, {})
  const name = draft.name ?? p.name
  const rename = useRename(p.ref)
  const running = p.status === 'ACTIVE_HEALTHY'
  return (
    <Section title={t.name.title}>
      <Card className="divide-y divide-line px-4">
        <FormRow label={t.name.label} help={t.name.help}>
          {(field) => <Input {...field} value={name} maxLength={256} readOnly={!allowed} onChange={(event) => setDraft(event.target.value === p.name ? {} : { name: event.target.value })} />}
        </FormRow>
        <div className="py-2">
          <KeyValues>
            <KeyValue label={t.facts.ref}>
              <Copyable text={p.ref} />
            </KeyValue>
            <KeyValue label={t.facts.url}>
              <Copyable text={p.url} />
            </KeyValue>
            <KeyValue label={t.facts.status}>
              <Status tone={running ? 'ok' : p.status === 'INIT_FAILED' ? 'danger' : 'warn'}>{t.statuses[p.status] ?? p.status}</Status>
            </KeyValue>
            <KeyValue label={t.facts.created}>
              <Time at={p.created_at} />
            </KeyValue>
            {p.expires_at && (
              <KeyValue label={t.facts.expires}>
                <Time at={p.expires_at} />
              </KeyValue>
            )}
            {p.branch_of && (
              <KeyValue label={t.facts.branchOf}>
                <Copyable text={p.branch_of} />
              </KeyValue>
            )}
            <KeyValue label={t.facts.postgres}>{p.database.server_version}</KeyValue>
          </KeyValues>
        </div>
      </Card>
      <DiffBar
        changes={name === p.name ? [] : [{ name: 'name', label: t.name.label, before: p.name, after: name }]}
        saving={rename.isPending}
        error={rename.error}
        blocked={name.trim() === ''}
        onSave={() => rename.mutate(name.trim(), { onSuccess: () => (setDraft({}), toast(t.name.saved)) })}
        onDiscard={() => {
          rename.reset()
          setDraft({})
        }}
      />
    </Section>
  )
}

function Pause({ project: p, allowed }: { project: Project; allowed: boolean }) {
  const [asking, ask] = useState(false)
  const pause = usePause(p.ref)
  const restore = useRestore(p.ref)
  const paused = p.status === 'INACTIVE' || p.status === 'PAUSING'
  const words = paused ? t.restore : t.pause
  return (
    <Section
      title={words.title}
      description={words.text}
      action={
        <Button disabled={!allowed} title={allowed ? undefined : t.forbidden} busy={restore.isPending} onClick={() => (paused ? restore.mutate(undefined, { onSuccess: () => toast(t.restore.done), onError: toastError }) : ask(true))}>
          {words.action}
        </Button>
      }
    >
      {!allowed && <p className="text-sm text-text-2">{t.forbidden}</p>}
      <ConfirmDialog
        open={asking}
        onOpenChange={ask}
        title={t.pause.action}
        action={t.pause.action}
        onConfirm={async () => {
          await pause.mutateAsync()
          toast(t.pause.done)
        }}
      >
        <p>{t.pause.confirm(p.name)}</p>
      </ConfirmDialog>
    </Section>
  )
}

function Delete({ project: p, allowed, onDeleted }: { project: Project; allowed: boolean; onDeleted: () => void }) {
  const [asking, ask] = useState(false)
  const remove = useDelete(p.ref)
  return (
    <Section
      title={t.remove.title}
      description={t.remove.text}
      action={
        <Button kind="danger" disabled={!allowed} title={allowed ? undefined : t.forbidden} onClick={() => ask(true)}>
          {t.remove.action}
        </Button>
      }
    >
      {!allowed && <p className="text-sm text-text-2">{t.forbidden}</p>}
      <ConfirmDialog
        open={asking}
        onOpenChange={ask}
        title={t.remove.action}
        action={t.remove.action}
        typed={p.name}
        onConfirm={async () => {
          await remove.mutateAsync()
          toast(t.remove.done(p.name))
          onDeleted()
        }}
      >
        <p>{t.remove.confirm(p.name)}</p>
      </ConfirmDialog>
    </Section>
  )
}
