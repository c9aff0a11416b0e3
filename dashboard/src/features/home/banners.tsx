import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { GitBranch, Hourglass, PauseCircle } from 'lucide-react'
import { Button } from '@/components/button'
import { Notice } from '@/components/state'
import { Time } from '@/components/time'
import { toast, toastError } from '@/components/toast'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { projectQuery } from '@/features/project/project'
import type { Schema } from '@/lib/api/client'
import { home as t } from '@/strings/home'
import { useRestore } from './restore'

type Project = Schema<'ProjectWithDatabase'>
const stopped = ['INACTIVE', 'PAUSING', 'COMING_UP', 'RESTORING', 'INIT_FAILED', 'GOING_DOWN'] as const

/** Why a project is not served, if it is not. */
export const stoppedBy = (project: Project) => stopped.find((s) => s === project.status)

/** What is special about a project: it is not served, it is a branch, it deletes itself. */
export function Banners({ project }: { project: Project }) {
  const by = stoppedBy(project)
  return (
    <div className="mb-6 space-y-2 empty:mb-0">
      {by && <Stopped project={project} by={by} />}
      {project.branch_of && <BranchOf project={project} source={project.branch_of} />}
      {project.expires_at && (
        <Notice
          tone="warn"
          icon={Hourglass}
          action={
            <Link to="/p/$ref/settings" params={{ ref: project.ref }} className="text-sm font-medium text-accent hover:underline">
              {t.banners.keep}
            </Link>
          }
        >
          {t.banners.expires} <Time at={project.expires_at} />.
        </Notice>
      )}
    </div>
  )
}

function Stopped({ project, by }: { project: Project; by: (typeof stopped)[number] }) {
  const restore = useRestore(project.ref)
  const permissions = useQuery(projectPermissionsQuery(project.ref))
  const action = by === 'INACTIVE' && may(permissions.data, 'project:pause') && (
    <Button kind="primary" size="small" busy={restore.isPending} onClick={() => restore.mutate(undefined, { onSuccess: () => toast(t.banners.restored), onError: toastError })}>
      {t.banners.restore}
    </Button>
  )
  return (
    <Notice tone={by === 'INIT_FAILED' || by === 'GOING_DOWN' ? 'danger' : by === 'INACTIVE' ? 'warn' : 'info'} icon={PauseCircle} action={action}>
      <p role="status">{t.banners[by]}</p>
    </Notice>
  )
}

function BranchOf({ project, source }: { project: Project; source: string }) {
  const found = useQuery({ ...projectQuery(source), retry: false })
  return (
    <Notice tone="info" icon={GitBranch}>
      {t.banners.branchOf}{' '}
      <Link to="/p/$ref" params={{ ref: source }} className="font-medium text-accent hover:underline">
        <bdi>{found.data?.name ?? source}</bdi>
      </Link>
      . {project.git_branch && t.banners.git(project.git_branch)} {t.banners.capture}
    </Notice>
  )
}
