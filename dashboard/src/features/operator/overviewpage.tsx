import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleCheck, TriangleAlert } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { ErrorNote, ErrorState } from '@/components/error'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Stat } from '@/components/stat'
import { Notice, Skeleton } from '@/components/state'
import { ApiError } from '@/lib/api/error'
import { formatDuration, formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { operator as t } from '@/strings/operator'
import { installationQuery, waysQuery, type Trouble } from './installation'

/** What the installation has, and what in it needs somebody. */
export function Overview() {
  const found = useQuery(installationQuery)
  if (found.error) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />
  if (found.data === null) return <ErrorState error={new ApiError(404, 'not_found', common.notFound.title)} />
  const i = found.data
  if (!i) return <Skeleton className="h-72 w-full" />
  const needs: [Trouble, number, (n: number) => string][] = [
    ['failing', i.failing, t.attention.failing],
    ['shut_out', i.shut_out, t.attention.shutOut],
    ['behind', i.behind, t.attention.behind],
  ]
  const present = needs.filter(([, n]) => n > 0)
  const total = Object.values(i.projects).reduce((sum, n) => sum + n, 0)
  return (
    <>
      <Card className="mb-8 grid grid-cols-2 gap-x-6 gap-y-5 p-5 sm:grid-cols-4">
        <Stat label={t.stats.organizations} value={i.organizations} />
        <Stat label={t.stats.projects} value={total} help={`${formatNumber(i.projects['active'] ?? 0)} ${t.stats.active}`} />
        <Stat label={t.stats.warm} value={i.warm_databases} help={t.stats.warmHelp} />
        <Stat label={t.stats.connections} value={i.server.connections} help={t.stats.of(formatNumber(i.server.max_connections))} />
      </Card>
      <Section title={t.attention.title}>
        {present.length === 0 && !i.server.problem && (
          <Notice tone="ok" icon={CircleCheck}>
            {t.attention.none}
          </Notice>
        )}
        <div className="space-y-2">
          {i.server.problem && (
            <Notice tone="danger" icon={TriangleAlert}>
              {i.server.problem}
            </Notice>
          )}
          {present.map(([trouble, n, text]) => (
            <Notice
              key={trouble}
              tone={trouble === 'behind' ? 'info' : 'warn'}
              icon={TriangleAlert}
              action={
                <Link to="/operator/projects" search={{ trouble }} className="font-medium text-accent hover:underline">
                  {t.attention.show}
                </Link>
              }
            >
              {text(n)}
            </Notice>
          ))}
        </div>
      </Section>
      <Section
        title={t.signIn.title}
        description={t.signIn.text}
        action={
          <Link to="/p/$ref/auth/$page" params={{ ref: i.platform_ref, page: 'providers' }} className={buttonClass()}>
            {t.signIn.open}
          </Link>
        }
      >
        <Ways />
      </Section>
      <Section title={t.server.title}>
        <Card className="px-5">
          <KeyValues>
            <KeyValue label={t.server.version}>{i.server.version || '–'}</KeyValue>
            <KeyValue label={t.server.connections}>
              <span className="tabular">
                {formatNumber(i.server.connections)} {t.stats.of(formatNumber(i.server.max_connections))}, {formatNumber(i.server.owner_connections)} {t.server.owners}
              </span>
            </KeyValue>
            <KeyValue label={t.server.oldest}>{i.server.oldest_transaction < 1 ? t.server.none : formatDuration(Math.round(i.server.oldest_transaction))}</KeyValue>
            <KeyValue label={t.server.release}>{i.version}</KeyValue>
            <KeyValue label={t.server.schema}>{i.schema_version}</KeyValue>
          </KeyValues>
        </Card>
      </Section>
    </>
  )
}

/** How people sign in to this installation now. */
function Ways() {
  const found = useQuery(waysQuery)
  const w = t.signIn
  if (found.error) return <ErrorNote error={found.error} />
  const c = found.data
  if (!c) return <Skeleton className="h-28 w-full" />
  const methods = [...(c.auth.methods.email ? [w.email] : []), ...(c.auth.methods.providers ?? []), ...(c.auth.methods.custom ?? []).map((m) => m.name)]
  return (
    <Card className="px-5">
      <KeyValues>
        <KeyValue label={w.methods}>{methods.join(', ') || '–'}</KeyValue>
        <KeyValue label={w.signUp}>{c.auth.sign_up ? w.anybody : w.invited}</KeyValue>
        <KeyValue label={w.mails}>{w.mail[c.mail]}</KeyValue>
        <KeyValue label={w.captcha}>{c.auth.captcha ? w.services[c.auth.captcha] : w.none}</KeyValue>
      </KeyValues>
    </Card>
  )
}
