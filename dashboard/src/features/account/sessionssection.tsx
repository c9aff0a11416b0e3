import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Section } from '@/components/page'
import { Badge, Skeleton } from '@/components/state'
import { Time } from '@/components/time'
import { toast, toastError } from '@/components/toast'
import { deviceOf } from '@/lib/device'
import { account } from '@/strings/account'
import { sessionsQuery, useEndOtherSessions, useEndSession } from './sessions'

/** How many sessions are shown before the others are asked for; the present one is the first. */
const few = 5

/** Where the person is signed in. */
export function SessionsSection() {
  const t = account.sessions
  const list = useQuery(sessionsQuery)
  const end = useEndSession()
  const others = useEndOtherSessions()
  const [asked, ask] = useState(false)
  const [all, showAll] = useState(false)
  if (list.error) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />
  return (
    <Section
      id="sessions"
      title={t.title}
      description={t.text}
      action={
        (list.data?.length ?? 0) > 1 && (
          <Button size="small" onClick={() => ask(true)}>
            {t.others}
          </Button>
        )
      }
    >
      {list.data ? (
        <ul aria-label={t.list} className="divide-y divide-line border-y border-line">
          {[...list.data].sort((a, b) => Number(b.current) - Number(a.current)).slice(0, all ? undefined : few).map((s) => (
            <li key={s.id} className="flex min-h-14 flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <div className="min-w-0 flex-1">
                <span className="font-medium" title={s.user_agent}>
                  {deviceOf(s.user_agent)}
                </span>{' '}
                <span className="font-mono text-sm text-text-2">{s.ip}</span>
                <p className="text-sm text-text-2">
                  {t.since} <Time at={s.created_at} />, {t.used} <Time at={s.refreshed_at ?? s.created_at} />
                </p>
              </div>
              {s.current ? (
                <Badge tone="ok">{t.current}</Badge>
              ) : (
                <Button size="small" aria-label={t.endOf(deviceOf(s.user_agent))} busy={end.isPending && end.variables === s.id} onClick={() => end.mutate(s.id, { onSuccess: () => toast(t.ended), onError: toastError })}>
                  {t.end}
                </Button>
              )}
            </li>
          ))}
        </ul>
      ) : (
        <Skeleton className="h-14 w-full" />
      )}
      {!all && (list.data?.length ?? 0) > few && (
        <Button kind="quiet" size="small" className="mt-2 -ml-2" onClick={() => showAll(true)}>
          {t.all(list.data?.length ?? 0)}
        </Button>
      )}
      <ConfirmDialog open={asked} onOpenChange={ask} title={t.othersTitle} action={t.others} onConfirm={() => others.mutateAsync().then(() => toast(t.othersDone))}>
        <p>{t.othersText}</p>
      </ConfirmDialog>
    </Section>
  )
}
