import { Mail, MessageSquare } from 'lucide-react'
import { Button } from '@/components/button'
import { FilterInput } from '@/components/filter'
import type { MailView } from '@/components/mailpreview'
import { Card } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { Time } from '@/components/time'
import { cx } from '@/lib/cx'
import { inbox as t } from '@/strings/inbox'
import type { Message } from './inbox'
import { MessageView } from './message'

export type InboxSearch = { message?: string; q?: string; view?: MailView; narrow?: boolean }

/** Captured messages, a list beside the one that is read; undefined while they are on their way. */
export function Messages({ all, search, onSearch }: { all: Message[] | undefined; search: InboxSearch; onSearch: (next: InboxSearch) => void }) {
  const wanted = search.q?.toLowerCase() ?? ''
  const rows = all?.filter((m) => `${m.to} ${m.subject}`.toLowerCase().includes(wanted))
  const shown = all?.find((m) => m.id === search.message)
  return (
    <div className="grid gap-6 lg:grid-cols-[340px_minmax(0,1fr)]">
      <div className={cx('min-w-0', search.message && 'hidden lg:block')}>
        <FilterInput main label={t.find} value={search.q ?? ''} onChange={(q) => onSearch({ ...search, q: q || undefined })} className="mb-3 w-full" />
        <Card className="overflow-hidden">
          <ul aria-label={t.list} aria-busy={!rows} className="max-h-[calc(100dvh-200px)] divide-y divide-line overflow-y-auto">
            {rows ? rows.map((m) => <Entry key={m.id} of={m} active={m.id === search.message} onOpen={() => onSearch({ ...search, message: m.id })} />) : Array.from({ length: 6 }, (_, i) => <li key={i} className="space-y-2 p-3"><Skeleton className="h-4 w-2/3" /><Skeleton className="h-3 w-full" /></li>)}
            {rows?.length === 0 && <li className="p-4 text-center text-text-2">{t.none}</li>}
          </ul>
        </Card>
      </div>
      <div className={cx('min-w-0', !search.message && 'hidden lg:block')}>
        {shown ? (
          <MessageView
            of={shown}
            view={search.view ?? (shown.html ? 'html' : 'text')}
            onView={(view) => onSearch({ ...search, view })}
            narrow={search.narrow ?? false}
            onNarrow={(narrow) => onSearch({ ...search, narrow: narrow || undefined })}
            onBack={() => onSearch({ ...search, message: undefined })}
          />
        ) : (
          all && <EmptyState icon={Mail} title={search.message ? t.gone : t.pick} action={search.message && <Button onClick={() => onSearch({ ...search, message: undefined })}>{t.back}</Button>} />
        )}
      </div>
    </div>
  )
}

function Entry({ of: m, active, onOpen }: { of: Message; active: boolean; onOpen: () => void }) {
  const Icon = m.channel === 'email' ? Mail : MessageSquare
  return (
    <li>
      <button type="button" aria-current={active || undefined} onClick={onOpen} className={cx('flex w-full items-start gap-3 px-3 py-2 text-left -outline-offset-2 hover:bg-sunken', active && 'bg-accent-soft')}>
        <Icon className="mt-0.5 size-4 shrink-0 text-text-3" strokeWidth={1.5} aria-label={t.channels[m.channel]} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 flex-1 truncate font-medium" dir="auto">
              {m.to}
            </span>
            <span className="text-xs text-text-2">
              <Time at={m.created_at} />
            </span>
          </span>
          <span className="block truncate text-sm text-text-2" dir="auto">
            {m.subject || m.text || t.noSubject}
          </span>
        </span>
      </button>
    </li>
  )
}
