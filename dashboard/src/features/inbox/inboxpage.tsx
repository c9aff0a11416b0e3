import { useQuery } from '@tanstack/react-query'
import { Inbox, Mail, MessageSquare, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { FilterInput } from '@/components/filter'
import type { MailView } from '@/components/mailpreview'
import { Card, Page } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { cx } from '@/lib/cx'
import { common } from '@/strings/common'
import { inbox as t } from '@/strings/inbox'
import { inboxQuery, useEmptyInbox, type Message } from './inbox'
import { MessageView } from './message'

export type InboxSearch = { message?: string; q?: string; view?: MailView; narrow?: boolean }

type Props = { projectRef: string; search: InboxSearch; onSearch: (next: InboxSearch) => void }

const snippet = `await supabase.auth.signInWithOtp({ email: 'jane@example.com' })`

/** The messages of a project that were captured instead of sent. */
export function InboxPage({ projectRef, search, onSearch }: Props) {
  const messages = useQuery(inboxQuery(projectRef))
  const empty = useEmptyInbox(projectRef)
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const mayDelete = may(permissions.data, 'inbox:delete')
  const [deleting, setDeleting] = useState(false)
  if (messages.error && !messages.data) return <ErrorState error={messages.error} onRetry={() => void messages.refetch()} />
  const all = messages.data
  const wanted = search.q?.toLowerCase() ?? ''
  const rows = all?.filter((m) => `${m.to} ${m.subject}`.toLowerCase().includes(wanted))
  const shown = all?.find((m) => m.id === search.message)
  return (
    <Page
      title={t.title}
      description={t.description}
      wide
      action={
        <Button icon={Trash2} disabled={!all?.length || !mayDelete} title={permissions.data && !mayDelete ? common.notAllowed : undefined} onClick={() => setDeleting(true)}>
          {t.deleteAll}
        </Button>
      }
    >
      {all?.length === 0 ? (
        <Card>
          <EmptyState icon={Inbox} title={t.empty.title}>
            <p>{t.empty.text}</p>
            <CodeBlock label={t.empty.snippet} code={snippet} />
          </EmptyState>
        </Card>
      ) : (
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
      )}
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={t.remove.title}
        action={t.remove.action}
        onConfirm={async () => {
          await empty.mutateAsync()
          onSearch({})
          toast(t.remove.done)
        }}
      >
        <p>{t.remove.text(all?.length ?? 0)}</p>
      </ConfirmDialog>
    </Page>
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
