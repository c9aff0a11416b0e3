import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Skeleton } from '@/components/state'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { cx } from '@/lib/cx'
import { wordsOf } from '@/lib/eventwords'
import { formatNumber } from '@/lib/format'
import { home as t } from '@/strings/home'
import { lastEventsQuery } from './events'

const dots = { done: 'bg-ok', refused: 'bg-warn', failed: 'bg-danger' }

/** The last five events of the project. */
export function LastEvents({ projectRef }: { projectRef: string }) {
  const events = useQuery(lastEventsQuery(projectRef))
  const e = t.events
  const list = events.data?.events
  return (
    <Section
      title={e.title}
      id="events"
      action={
        <Link to="/p/$ref/logs" params={{ ref: projectRef }} className="text-accent hover:underline">
          {e.all}
        </Link>
      }
    >
      {events.error && !events.data && <ErrorNote error={events.error} />}
      {events.isPending && Array.from({ length: 5 }, (_, i) => <Skeleton key={i} className="mb-3 h-8 w-full" />)}
      {events.data && !events.data.complete && <p className="mb-2 text-sm text-text-2">{e.incomplete}</p>}
      {list?.length === 0 && <p className="text-text-2">{e.empty}</p>}
      <ul className="divide-y divide-line">
        {list?.map((event) => (
          <li key={event.id} className="flex items-baseline gap-3 py-2">
            <Line event={event} projectRef={projectRef} />
            <span className="shrink-0 text-sm text-text-2">
              <Time at={event.at} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** Whom an event is about, and who else did it. */
function peopleOf(event: Schema<'LogsEvent'>) {
  const detail: Record<string, unknown> = typeof event.detail === 'object' && event.detail !== null ? { ...event.detail } : {}
  const text = (name: string) => (typeof detail[name] === 'string' ? detail[name] : '')
  if (!text('user_id')) return { who: event.actor_name, by: '' }
  const who = text('user_email') || (text('user_phone') && `+${text('user_phone')}`)
  return { who, by: event.actor_name === who ? '' : event.actor_name }
}

function Line({ event, projectRef: ref }: { event: Schema<'LogsEvent'>; projectRef: string }) {
  const { text, kind } = wordsOf(event)
  const { who, by } = peopleOf(event)
  const gone = event.code === 'user_deleted'
  return (
    <span className="min-w-0 flex-1 break-words">
      <span className={cx('mr-2 inline-block size-2 rounded-full', dots[kind])} aria-hidden />
      {event.source === 'log' ? (
        <Link to="/p/$ref/logs" params={{ ref }} search={{ entry: event.id }} className="hover:underline">
          {text}
        </Link>
      ) : (
        text
      )}{' '}
      {event.user_id && !gone ? (
        <Link to="/p/$ref/users/$id" params={{ ref, id: event.user_id }} className="text-text-2 hover:text-text hover:underline">
          <bdi className="wrap-anywhere">{who || t.events.user}</bdi>
        </Link>
      ) : (
        <bdi className="wrap-anywhere text-text-2">{who}</bdi>
      )}{' '}
      {by && <bdi className="wrap-anywhere text-text-3">{t.events.by(by)}</bdi>} {event.count > 1 && <span className="tabular font-medium">{formatNumber(event.count)}×</span>}
    </span>
  )
}
