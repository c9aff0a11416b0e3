import { useQuery } from '@tanstack/react-query'
import { ErrorState } from '@/components/error'
import { Page } from '@/components/page'
import { projectQuery } from '@/features/project/project'
import { Activity } from './activity'
import { AttentionNote } from './attentionnote'
import { Banners, stoppedBy } from './banners'
import { ConnectCard } from './connectcard'
import { Findings } from './findings'
import { hasUsersQuery } from './hasusers'
import { HealthLine } from './healthline'
import { LastEvents } from './lastevents'
import type { Range } from './usage'

type Props = { projectRef: string; range: Range; onRange: (range: Range) => void }

/** The home of a project: what it is reached by, what needs attention, what happens. */
export function HomePage({ projectRef, range, onRange }: Props) {
  const project = useQuery({ ...projectQuery(projectRef), refetchInterval: (query) => (query.state.data && stoppedBy(query.state.data) ? 2000 : 60_000) })
  const served = project.data !== undefined && stoppedBy(project.data) === undefined
  const users = useQuery({ ...hasUsersQuery(projectRef), enabled: served })
  if (project.error && !project.data) return <ErrorState error={project.error} onRetry={() => void project.refetch()} />
  return (
    <Page title={project.data?.name ?? ' '} action={served && <HealthLine projectRef={projectRef} />}>
      {project.data && <Banners project={project.data} />}
      {served && <AttentionNote projectRef={projectRef} />}
      <ConnectCard projectRef={projectRef} hasUsers={served ? (users.data ?? (users.error ? true : undefined)) : undefined} />
      <Activity projectRef={projectRef} range={range} onRange={onRange} />
      {served && (
        <div className="grid gap-x-10 lg:grid-cols-2">
          <LastEvents projectRef={projectRef} />
          <Findings projectRef={projectRef} />
        </div>
      )}
    </Page>
  )
}
