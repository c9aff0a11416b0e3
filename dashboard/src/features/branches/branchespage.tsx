import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Clock, GitBranch, Inbox, Plus, RotateCcw, SquareArrowOutUpRight, Trash2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { projectQuery } from '@/features/project/project'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Field } from '@/components/form'
import { Menu } from '@/components/menu'
import { Page, Section } from '@/components/page'
import { EmptyState, Notice, Status } from '@/components/state'
import { Table, type Column } from '@/components/table'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { branches as t } from '@/strings/branches'
import { common as words } from '@/strings/common'
import { branchesQuery, ephemeralQuery, useDeleteBranch, useExtendBranch, useResetBranch, type Branch, type NewBranch } from './branches'
import { CreateBranch, TtlSelect } from './createbranch'
import { MadeBranch } from './madebranch'
import { branchWorkflow, commands, testFile } from './pipeline'

type Act = { kind: 'reset' | 'delete' | 'extend'; branch: Branch }

const columns: Column<Branch>[] = [
  { id: 'name', header: t.columns.name, width: 'minmax(160px,2fr)', cell: (b) => <span className="font-medium" dir="auto">{b.name}</span> },
  { id: 'git', header: t.columns.git, width: 'minmax(120px,1fr)', cell: (b) => b.git_branch ?? <span className="text-text-3">–</span> },
  { id: 'ref', header: t.columns.ref, width: '240px', cell: (b) => <Copyable text={b.ref} /> },
  { id: 'status', header: t.columns.status, width: '132px', cell: (b) => <Status tone={b.status === 'ACTIVE_HEALTHY' ? 'ok' : b.status === 'INIT_FAILED' ? 'danger' : 'neutral'}>{t.statuses[b.status] ?? b.status}</Status> },
  { id: 'created', header: t.columns.created, width: '120px', cell: (b) => <Time at={b.created_at} /> },
  { id: 'expires', header: t.columns.expires, width: '128px', cell: (b) => <Time at={b.expires_at} none={t.never} /> },
]

/** The branches of a project, and the projects of its organization that delete themselves. */
export function BranchesPage({ projectRef, tabs }: { projectRef: string; tabs?: ReactNode }) {
  const navigate = useNavigate()
  const project = useQuery(projectQuery(projectRef))
  const branches = useQuery(branchesQuery(projectRef))
  const slug = project.data?.organization_slug ?? ''
  const ephemeral = useQuery({ ...ephemeralQuery(slug), enabled: slug !== '' })
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const [mayCreate, mayUpdate, mayDelete] = ['project:create', 'project:update', 'project:delete'].map((p) => may(permissions.data, p))
  const refused = permissions.data && !mayCreate ? words.notAllowed : undefined
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<NewBranch>()
  const [act, setAct] = useState<Act>()
  if (branches.error && !branches.data) return <ErrorState error={branches.error} onRetry={() => void branches.refetch()} />
  const open = (b: Branch) => void navigate({ to: '/p/$ref', params: { ref: b.ref } })
  const source = project.data?.branch_of
  const name = project.data?.name ?? projectRef
  const menu = (b: Branch) => (
    <Menu
      label={`${t.menu.open}: ${b.name}`}
      items={[
        { label: t.menu.open, icon: SquareArrowOutUpRight, onSelect: () => open(b) },
        { label: t.menu.inbox, icon: Inbox, onSelect: () => void navigate({ to: '/p/$ref/inbox', params: { ref: b.ref } }) },
        ...(b.branch_of ? [{ label: t.menu.reset, icon: RotateCcw, disabled: !mayDelete, onSelect: () => setAct({ kind: 'reset', branch: b }) }] : []),
        ...(b.expires_at ? [{ label: t.menu.extend, icon: Clock, disabled: !mayUpdate, onSelect: () => setAct({ kind: 'extend', branch: b }) }] : []),
        'separator',
        { label: t.menu.delete, icon: Trash2, danger: true, disabled: !mayDelete, onSelect: () => setAct({ kind: 'delete', branch: b }) },
      ]}
    />
  )
  return (
    <Page
      title={t.title}
      description={t.description}
      wide
      action={
        <Button kind="primary" icon={Plus} disabled={!mayCreate} title={refused} onClick={() => setCreating(true)}>
          {t.create}
        </Button>
      }
    >
      {tabs}
      {source && project.data && (
        <div className="mb-5">
          <Notice
            icon={GitBranch}
            action={
              <>
                <Button size="small" onClick={() => void navigate({ to: '/p/$ref', params: { ref: source } })}>
                  {t.source}
                </Button>
                <Button size="small" icon={RotateCcw} disabled={!mayDelete} onClick={() => setAct({ kind: 'reset', branch: project.data })}>
                  {t.menu.reset}
                </Button>
              </>
            }
          >
            {t.isBranch(source)}
          </Notice>
        </div>
      )}
      <div className="mb-10">
        <Table
          label={t.table}
          columns={columns}
          rows={branches.data}
          rowKey={(b) => b.ref}
          onOpen={open}
          rowMenu={menu}
          empty={
            <EmptyState icon={GitBranch} title={t.empty.title} action={<Button icon={Plus} disabled={!mayCreate} title={refused} onClick={() => setCreating(true)}>{t.create}</Button>}>
              <p>{t.empty.text}</p>
              <CodeBlock label={t.empty.snippet} code={`reeve projects branch ${projectRef} pr-42 --ttl 24h`} />
            </EmptyState>
          }
        />
      </div>
      <Section id="ephemeral" title={t.ephemeral.title} description={t.ephemeral.text}>
        {ephemeral.data?.length === 0 ? <p className="text-text-2">{t.ephemeral.none}</p> : <Table label={t.ephemeral.table} columns={columns.filter((c) => c.id !== 'git')} rows={ephemeral.data} rowKey={(b) => b.ref} onOpen={open} rowMenu={menu} empty={null} maxHeight="360px" />}
      </Section>
      <Section id="pipeline" title={t.ci.title} description={t.ci.text}>
        <CodeBlock
          label={t.ci.title}
          code={[
            { label: t.ci.branch, code: branchWorkflow(projectRef) },
            { label: t.ci.test, code: testFile },
            { label: t.ci.cli, code: commands(projectRef) },
          ]}
        />
      </Section>
      {creating && <CreateBranch projectRef={projectRef} onClose={() => setCreating(false)} onMade={setMade} />}
      {made && <MadeBranch branch={made} onDone={() => setMade(undefined)} />}
      {act && <ActDialog key={`${act.kind}${act.branch.ref}`} projectRef={projectRef} act={act} name={act.branch.ref === projectRef ? name : act.branch.name} onClose={() => setAct(undefined)} />}
    </Page>
  )
}

function ActDialog({ projectRef, act: { kind, branch }, name, onClose }: { projectRef: string; act: Act; name: string; onClose: () => void }) {
  const reset = useResetBranch(projectRef)
  const remove = useDeleteBranch(projectRef)
  const extend = useExtendBranch(projectRef)
  const [ttl, setTtl] = useState('72h')
  const common = { open: true, onOpenChange: (open: boolean) => !open && onClose() }
  if (kind === 'extend') {
    return (
      <ConfirmDialog {...common} danger={false} title={t.extend.title(name)} action={t.extend.action} onConfirm={async () => (await extend.mutateAsync({ branch: branch.ref, ttl }), toast(t.extend.done))}>
        <Field label={t.extend.label}>{(field) => <TtlSelect field={field} value={ttl} onChange={setTtl} never={false} />}</Field>
      </ConfirmDialog>
    )
  }
  const texts = kind === 'reset' ? t.reset : t.remove
  const run = kind === 'reset' ? reset : remove
  return (
    <ConfirmDialog {...common} title={texts.title(name)} action={texts.action} typed={kind === 'delete' ? name : undefined} onConfirm={async () => (await run.mutateAsync(branch.ref), toast(texts.done(name)))}>
      <p>{texts.text}</p>
    </ConfirmDialog>
  )
}
