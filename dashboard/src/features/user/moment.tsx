import { Ban, Circle, CircleAlert, type LucideIcon } from 'lucide-react'
import { CopyButton } from '@/components/copy'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { cx } from '@/lib/cx'
import { wordsOf } from '@/lib/eventwords'
import { formatNumber } from '@/lib/format'
import { user as t } from '@/strings/user'
import { show } from './metadata'
import { providerName } from './words'

type Event = Schema<'UserEvent'>

const looks: Record<ReturnType<typeof wordsOf>['kind'], { icon: LucideIcon; tone: string }> = {
  done: { icon: Circle, tone: 'text-text-3' },
  refused: { icon: Ban, tone: 'text-warn' },
  failed: { icon: CircleAlert, tone: 'text-danger' },
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** One event of a timeline: what, who, from where, and the rest on demand. */
export function Moment({ event, user }: { event: Event; user: string }) {
  const { text, kind } = wordsOf(event)
  const { icon: Icon, tone } = looks[kind]
  const detail = isObject(event.detail) ? event.detail : {}
  const provider = typeof detail.provider === 'string' ? providerName(detail.provider) : ''
  const other = event.actor_id && event.actor_id !== user ? event.actor_name || event.actor_id : ''
  const facts = [provider, other && t.timeline.by(other), event.client_ip].filter(Boolean)
  return (
    <div className="flex gap-2.5 py-1.5">
      <Icon className={cx('mt-0.5 size-4 shrink-0', tone)} strokeWidth={1.5} aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="break-words">
          {text} {event.count > 1 && <span className="tabular font-medium">{t.timeline.times(formatNumber(event.count))}</span>}
        </p>
        <p className="text-sm break-words text-text-2">
          <Time at={event.at} />
          {facts.map((fact) => (
            <bdi key={fact}> · {fact}</bdi>
          ))}
        </p>
        {(event.message || event.request_id || Object.keys(detail).length > 0) && (
          <details>
            <summary className="cursor-pointer text-xs text-text-3 hover:text-text">{t.timeline.details}</summary>
            <div className="mt-1 space-y-1 rounded bg-sunken p-2 text-sm">
              {event.message && <p className="break-words">{event.message}</p>}
              <p className="font-mono text-xs break-all text-text-2">
                {event.code} {event.route}
              </p>
              {event.request_id && (
                <p className="flex items-center gap-1 text-xs text-text-2">
                  {t.timeline.request} <span className="truncate font-mono">{event.request_id}</span> <CopyButton text={event.request_id} />
                </p>
              )}
              {Object.keys(detail).length > 0 && (
                <pre tabIndex={0} className="max-h-48 overflow-auto font-mono text-xs break-words whitespace-pre-wrap">
                  {show(detail)}
                </pre>
              )}
            </div>
          </details>
        )}
      </div>
    </div>
  )
}
