import { ArrowLeft, ExternalLink } from 'lucide-react'
import { Button, buttonClass } from '@/components/button'
import { Copyable, CopyButton } from '@/components/copy'
import { MailPreview, type MailView } from '@/components/mailpreview'
import { KeyValue, KeyValues } from '@/components/page'
import { formatExact } from '@/lib/format'
import { inbox as t } from '@/strings/inbox'
import type { Message } from './inbox'

type Props = { of: Message; view: MailView; onView: (view: MailView) => void; narrow: boolean; onNarrow: (narrow: boolean) => void; onBack: () => void }

/** A captured message: what to do with it first, then how it looks. */
export function MessageView({ of: m, view, onView, narrow, onNarrow, onBack }: Props) {
  return (
    <article aria-label={m.subject || m.to} className="min-w-0 space-y-4">
      <Button kind="quiet" icon={ArrowLeft} onClick={onBack} className="-ml-3 lg:hidden">
        {t.back}
      </Button>
      <header>
        <h2 className="text-lg font-semibold break-words">{m.subject || t.channels[m.channel]}</h2>
        <p className="break-words text-text-2">
          {t.to} {m.to}, {formatExact(m.created_at)}
        </p>
      </header>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        {m.code && (
          <p className="inline-flex items-center gap-2">
            <span className="text-text-2">{t.code}</span>
            <span className="rounded bg-sunken px-2 py-0.5 font-mono text-lg font-medium tracking-wider">{m.code}</span>
            <CopyButton text={m.code} />
          </p>
        )}
        {(m.links ?? []).filter((link) => /^https?:/i.test(link)).map((link) => (
          <span key={link} className="inline-flex max-w-full min-w-0 items-center gap-2">
            <a href={link} target="_blank" rel="noreferrer" className={buttonClass('secondary', 'small')}>
              <ExternalLink className="size-4" strokeWidth={1.5} aria-hidden />
              {t.open} {kind(link)}
            </a>
            <CopyButton text={link} />
          </span>
        ))}
      </div>
      {m.channel === 'email' ? (
        <MailPreview html={m.html} text={m.text} headers={<Headers of={m} />} view={view} onView={onView} narrow={narrow} onNarrow={onNarrow} />
      ) : (
        <>
          <p className="max-w-sm rounded border border-line bg-sunken px-4 py-3 break-words whitespace-pre-wrap">{m.text}</p>
          <Headers of={m} />
        </>
      )}
    </article>
  )
}

/** What a link of Reeve's is for: the type in its query, else its host. */
function kind(link: string) {
  try {
    const url = new URL(link)
    return url.searchParams.get('type') ?? url.host
  } catch {
    return ''
  }
}

function Headers({ of: m }: { of: Message }) {
  return (
    <KeyValues>
      <KeyValue label={t.to}>
        <Copyable text={m.to} />
      </KeyValue>
      {m.subject && <KeyValue label={t.subject}>{m.subject}</KeyValue>}
      <KeyValue label={t.at}>{formatExact(m.created_at)}</KeyValue>
      <KeyValue label={t.channel}>{t.channels[m.channel]}</KeyValue>
      <KeyValue label={t.id}>
        <Copyable text={m.id} />
      </KeyValue>
    </KeyValues>
  )
}
