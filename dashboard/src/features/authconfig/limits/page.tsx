import { useQuery } from '@tanstack/react-query'
import { ErrorNote } from '@/components/error'
import { Card, Section } from '@/components/page'
import { Skeleton, Status } from '@/components/state'
import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { formatNumber } from '@/lib/format'
import { limits as t } from '@/strings/limits'
import { settings as words } from '@/strings/settings'
import { PageHead } from '../page'
import { SettingRow } from '../row'
import { useSettings } from '../settings'
import { rateLimitsQuery } from './ratelimits'

type Limit = Schema<'AuthconfigRateLimit'>

/** Each limit with its value, and whom it refused lately. */
export function LimitsPage() {
  const { ref, sections } = useSettings()
  const found = useQuery(rateLimitsQuery(ref))
  const page = words.pages.limits
  const own = sections.find((s) => s.id === 'rate_limits')?.settings?.filter((s) => s.built) ?? []
  const spacing = (found.data ?? []).flatMap((l) => (l.setting && !own.some((s) => s.name === l.setting) ? [l.setting] : []))
  const others = found.data?.filter((l) => !l.setting) ?? []
  const of = (name: string) => found.data?.find((l) => l.setting === name)
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} />
      {found.error && (
        <div className="mb-4">
          <ErrorNote error={found.error} />
        </div>
      )}
      <Card className="mb-10 divide-y divide-line px-4">
        {[...own.map((s) => s.name), ...spacing].map((name) => {
          const limit = of(name)
          return (
            <div key={name}>
              <SettingRow name={name} />
              {found.isPending ? <Skeleton className="mb-4 h-4 w-64" /> : limit && <Refused limit={limit} />}
            </div>
          )
        })}
      </Card>
      {others.length > 0 && (
        <Section title={t.others} description={t.othersText}>
          <Card className="divide-y divide-line px-4">
            {others.map((limit) => (
              <div key={(limit.rules ?? []).join()} className="pt-3">
                <p className="font-medium">{limit.doc}</p>
                <p className="font-mono text-sm text-text-2">{(limit.rules ?? []).join(', ')}</p>
                <Refused limit={limit} />
              </div>
            ))}
          </Card>
        </Section>
      )}
    </>
  )
}

function Refused({ limit }: { limit: Limit }) {
  if (limit.refused_last_day === 0) return <p className="pb-4 text-sm text-text-3">{t.none}</p>
  return (
    <div className="flex flex-wrap gap-x-4 gap-y-1 pb-4 text-sm text-text-2">
      <Status tone={limit.refused_last_hour > 0 ? 'warn' : 'neutral'}>
        <span className="whitespace-normal">{t.refused(formatNumber(limit.refused_last_hour), formatNumber(limit.refused_last_day))}</span>
      </Status>
      <span>
        {t.last} <Time at={limit.last_refused_at} />
      </span>
      {(limit.clients?.length ?? 0) > 0 && (
        <span className="min-w-0 break-words">
          {t.clients}{' '}
          {limit.clients?.map((c, i) => (
            <span key={c.ip}>
              {i > 0 && ', '}
              <span className="font-mono">{c.ip}</span> ({t.times(formatNumber(c.count))})
            </span>
          ))}
        </span>
      )}
    </div>
  )
}
