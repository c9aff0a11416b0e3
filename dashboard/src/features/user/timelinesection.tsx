import { useInfiniteQuery } from '@tanstack/react-query'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Select } from '@/components/input'
import { Section } from '@/components/page'
import { Skeleton } from '@/components/state'
import { user as t } from '@/strings/user'
import { Moment } from './moment'
import { timelineQuery, type Source } from './timeline'

type Props = { projectRef: string; id: string; show?: Source; onShow: (source?: Source) => void }

const dayOf = (at: string) => new Date(at).toDateString()
const days = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

function dayName(at: string) {
  const now = Date.now()
  if (dayOf(at) === new Date(now).toDateString()) return t.timeline.today
  return dayOf(at) === new Date(now - 86_400_000).toDateString() ? t.timeline.yesterday : days.format(new Date(at))
}

/** What happened to a user, the newest first, by day. */
export function TimelineSection({ projectRef, id, show, onShow }: Props) {
  const query = useInfiniteQuery(timelineQuery(projectRef, id, show))
  const events = query.data?.pages.flatMap((page) => page.events ?? [])
  const l = t.timeline
  const filter = (
    <Select aria-label={l.filter} className="w-full max-w-56" value={show ?? ''} onChange={(e) => onShow(e.target.value === 'audit' || e.target.value === 'log' ? e.target.value : undefined)}>
      <option value="">{l.all}</option>
      <option value="audit">{l.audit}</option>
      <option value="log">{l.log}</option>
    </Select>
  )
  return (
    <Section title={l.title} id="timeline" action={filter}>
      {query.error && <ErrorNote error={query.error} />}
      {query.data?.pages.some((page) => !page.complete) && <p className="mb-2 text-sm text-text-2">{l.incomplete}</p>}
      {!events && !query.error && Array.from({ length: 6 }, (_, i) => <Skeleton key={i} className="mb-4 h-8 w-full" />)}
      {events?.length === 0 && <p className="text-text-2">{show ? l.emptyFiltered : l.empty}</p>}
      <ol aria-label={l.label}>
        {events?.map((event, i) => {
          const before = events[i - 1]
          const begins = !before || dayOf(before.at) !== dayOf(event.at)
          return (
            <li key={`${event.source} ${event.id}`}>
              {begins && <h3 className="mt-4 mb-1 text-sm font-medium text-text-2 first:mt-0">{dayName(event.at)}</h3>}
              <Moment event={event} user={id} />
            </li>
          )
        })}
      </ol>
      {query.hasNextPage && (
        <Button className="mt-3" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {l.more}
        </Button>
      )}
    </Section>
  )
}
