import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Webhook } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorNote } from '@/components/error'
import { Card } from '@/components/page'
import { Badge, EmptyState, Notice, Skeleton, Status } from '@/components/state'
import { Time } from '@/components/time'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { hooks as t } from '@/strings/hooks'
import { settings as words } from '@/strings/settings'
import { PageHead } from '../page'
import { useSettings } from '../settings'
import { hooksQuery, type Hook } from './hooks'
import { labelOfPoint, points, shownUri, type Point } from './points'
import { sqlOf } from './recipes'
import { lookOf, sayStats, stateOf } from './words'

/** All points at which the project's own code can be called, and what became of the last calls. */
export function HooksPage() {
  const settings = useSettings()
  const { ref } = settings
  const held = useQuery(projectPermissionsQuery(ref))
  const mayRead = may(held.data, 'logs:read')
  const hooks = useQuery({ ...hooksQuery(ref), enabled: mayRead })
  const page = words.pages.hooks
  const none = points.every((point) => stateOf(settings, point).uri === '')
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} />
      <div className="space-y-4">
        {held.data && !mayRead && <Notice>{t.forbidden}</Notice>}
        {hooks.error && <ErrorNote error={hooks.error} />}
        <Card>
          <ul aria-label={t.list} className="divide-y divide-line">
            {points.map((point) => (
              <Row key={point} point={point} hook={hooks.data?.find((h) => h.point === point)} loading={mayRead && hooks.isPending} />
            ))}
          </ul>
        </Card>
      </div>
      {none && (
        <EmptyState
          icon={Webhook}
          title={t.empty.title}
          action={
            <Link to="/p/$ref/auth/hooks/$point" params={{ ref, point: 'custom_access_token' }} className={buttonClass('primary')}>
              {t.empty.start}
            </Link>
          }
        >
          <p>{t.empty.text}</p>
          <CodeBlock label="SQL" code={sqlOf.custom_access_token} />
        </EmptyState>
      )}
    </>
  )
}

function Row({ point, hook, loading }: { point: Point; hook: Hook | undefined; loading: boolean }) {
  const settings = useSettings()
  const state = stateOf(settings, point, hook)
  const { tone, word } = lookOf(state)
  return (
    <li className="relative grid gap-x-6 gap-y-1 px-4 py-3 hover:bg-sunken sm:grid-cols-[minmax(0,1fr)_auto]">
      <div className="min-w-0">
        <Link to="/p/$ref/auth/hooks/$point" params={{ ref: settings.ref, point }} className="font-medium after:absolute after:inset-0">
          {labelOfPoint(point)}
        </Link>
        {state.uri ? <p className="font-mono text-sm break-all text-text-2">{shownUri(state.uri)}</p> : <p className="max-w-prose text-sm text-text-2">{t.points[point].when}</p>}
      </div>
      <div className="flex flex-col gap-1 sm:items-end">
        <span className="flex flex-wrap items-center gap-2">
          {state.unsaved && <Badge tone="warn">{t.unsaved}</Badge>}
          {state.uri && <Badge>{t.modeOf(t.modes[state.mode] ?? state.mode)}</Badge>}
          <Status tone={tone}>{word}</Status>
        </span>
        {state.uri &&
          (loading ? (
            <Skeleton className="h-4 w-48" />
          ) : (
            hook && (
              <span className="text-sm text-text-2">
                {sayStats(hook.last)}
                {hook.last && (
                  <>
                    {' · '}
                    <Time at={hook.last.at} />
                  </>
                )}
              </span>
            )
          ))}
      </div>
      {hook?.last?.error && state.uri && <p className="line-clamp-2 text-sm break-words text-danger sm:col-span-2">{t.stats.lastError}: {hook.last.error}</p>}
    </li>
  )
}
