import { useQuery } from '@tanstack/react-query'
import { Inbox, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Card, Page } from '@/components/page'
import { EmptyState } from '@/components/state'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { inbox as t } from '@/strings/inbox'
import { inboxQuery, useEmptyInbox } from './inbox'
import { Messages, type InboxSearch } from './messages'

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
        <Messages all={all} search={search} onSearch={onSearch} />
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
