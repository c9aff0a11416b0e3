import { useQuery } from '@tanstack/react-query'
import { Inbox } from 'lucide-react'
import { ErrorState } from '@/components/error'
import { Card } from '@/components/page'
import { EmptyState } from '@/components/state'
import { inbox } from '@/strings/inbox'
import { platformInboxQuery } from './inbox'
import { Messages, type InboxSearch } from './messages'

/** The mails to people who sign in to this server, which reeve dev captures. */
export function PlatformInbox({ dev, search, onSearch }: { dev: boolean; search: InboxSearch; onSearch: (next: InboxSearch) => void }) {
  const t = inbox.platform
  const messages = useQuery({ ...platformInboxQuery, enabled: dev })
  if (messages.error && !messages.data) return <ErrorState error={messages.error} onRetry={() => void messages.refetch()} />
  if (!dev || messages.data?.length === 0) {
    return (
      <Card>
        <EmptyState icon={Inbox} title={dev ? t.empty : t.sent}>
          <p>{dev ? t.emptyText : t.sentText}</p>
        </EmptyState>
      </Card>
    )
  }
  return (
    <>
      <p className="mb-4 max-w-prose text-text-2">{t.description}</p>
      <Messages all={messages.data} search={search} onSearch={onSearch} />
    </>
  )
}
