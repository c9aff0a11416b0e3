import { Monitor, Smartphone } from 'lucide-react'
import type { ReactNode } from 'react'
import { mail as t } from '@/strings/mail'
import { IconButton } from './button'
import { MailFrame } from './mailframe'
import { Tabs } from './tabs'

export type MailView = 'html' | 'text' | 'source' | 'headers'

type Props = { html: string; text: string; headers: ReactNode; view: MailView; onView: (view: MailView) => void; narrow: boolean; onNarrow: (narrow: boolean) => void }

/** A mail as it arrives. Its frame runs no script, and its links lead nowhere. */
export function MailPreview({ html, text, headers, view, onView, narrow, onNarrow }: Props) {
  const source = (content: string) => (
    <pre tabIndex={0} className="max-h-[640px] overflow-auto rounded border border-line bg-sunken p-3 font-mono text-sm whitespace-pre-wrap break-words">
      {content}
    </pre>
  )
  const rendered = (
    <div className="space-y-2">
      <div className="flex justify-end gap-1">
        <IconButton icon={Monitor} label={t.wide} aria-pressed={!narrow} className="aria-pressed:bg-sunken aria-pressed:text-text" onClick={() => onNarrow(false)} />
        <IconButton icon={Smartphone} label={t.narrow} aria-pressed={narrow} className="aria-pressed:bg-sunken aria-pressed:text-text" onClick={() => onNarrow(true)} />
      </div>
      <MailFrame title={t.frame} html={html} narrow={narrow} />
    </div>
  )
  return (
    <Tabs
      label={t.views}
      value={view}
      onChange={(next) => onView(next as MailView)}
      tabs={[
        ...(html ? [{ value: 'html', label: t.html, content: rendered }] : []),
        { value: 'text', label: t.text, content: source(text) },
        ...(html ? [{ value: 'source', label: t.source, content: source(html) }] : []),
        { value: 'headers', label: t.headers, content: headers },
      ]}
    />
  )
}
