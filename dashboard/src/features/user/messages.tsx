import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { MailPreview, type MailView } from '@/components/mailpreview'
import { KeyValue, KeyValues, Section } from '@/components/page'
import { Badge } from '@/components/state'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { formatExact } from '@/lib/format'
import { inboxQuery } from '@/features/inbox/inbox'
import { user as t } from '@/strings/user'
import type { Detail } from './user'

type Mail = Schema<'InboxMessage'>

/** The messages that a user was sent, and those that were captured. */
export function Messages({ user, projectRef, mayReadInbox }: { user: Detail; projectRef: string; mayReadInbox: boolean }) {
  const addresses = [user.email, user.phone, user.new_email, user.new_phone].filter(Boolean)
  const inbox = useQuery({ ...inboxQuery(projectRef), enabled: mayReadInbox && addresses.length > 0, refetchInterval: false, retry: false })
  const [shown, show] = useState<Mail>()
  const m = t.messages
  const sent = user.messages ?? []
  const captured = (inbox.data ?? []).filter((mail) => addresses.some((address) => plain(address) === plain(mail.to)))
  return (
    <Section title={m.title} id="messages">
      {sent.length === 0 && captured.length === 0 && <p className="text-text-2">{m.empty}</p>}
      <ul aria-label={m.label} className="divide-y divide-line border-y border-line empty:border-0">
        {sent.map((message) => (
          <li key={message.kind} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
            <div className="min-w-0 flex-1">
              <span className="font-medium">{m.kinds[message.kind] ?? message.kind}</span> <bdi className="break-all text-text-2">{message.to}</bdi>
              <p className="text-sm text-text-2">
                <Time at={message.sent_at} />
              </p>
            </div>
            <Badge tone={message.open ? 'info' : 'neutral'}>{message.open ? m.open : m.used}</Badge>
          </li>
        ))}
      </ul>
      {captured.length > 0 && (
        <>
          <h3 className="mt-4 mb-1 text-sm font-medium text-text-2">{m.captured}</h3>
          <ul className="divide-y divide-line border-y border-line">
            {captured.slice(0, 20).map((mail) => (
              <li key={mail.id} className="flex items-center gap-4 py-2">
                <span className="min-w-0 flex-1 truncate">{mail.subject || mail.text}</span>
                <Time at={mail.created_at} />
                <Button size="small" onClick={() => show(mail)}>
                  {m.show}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      {shown && <Shown mail={shown} onClose={() => show(undefined)} />}
    </Section>
  )
}

/** An address as it is compared: numbers are stored without the plus sign. */
const plain = (address: string) => address.toLowerCase().replace(/^\+/, '')

function Shown({ mail, onClose }: { mail: Mail; onClose: () => void }) {
  const [view, setView] = useState<MailView>(mail.html ? 'html' : 'text')
  const [narrow, setNarrow] = useState(false)
  const headers = (
    <KeyValues>
      <KeyValue label={t.messages.to}>{mail.to}</KeyValue>
      <KeyValue label={t.messages.at}>{formatExact(mail.created_at)}</KeyValue>
    </KeyValues>
  )
  return (
    <Dialog open onOpenChange={onClose} title={mail.subject || t.messages.text} description={mail.to} wide>
      <MailPreview html={mail.html} text={mail.text} headers={headers} view={view} onView={setView} narrow={narrow} onNarrow={setNarrow} />
    </Dialog>
  )
}
