import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { Section } from '@/components/page'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { user as t } from '@/strings/user'
import { deviceOf } from '@/lib/device'
import { useEndSession, useEndSessions } from './mutations'
import { Chain, History, Where } from './sessionhistory'
import type { Detail } from './user'

/** Where a user is signed in. */
export function Sessions({ user, projectRef, mayWrite }: { user: Detail; projectRef: string; mayWrite: boolean }) {
  const [asked, ask] = useState<Schema<'UserSession'> | 'all'>()
  const endOne = useEndSession(projectRef, user.id)
  const endAll = useEndSessions(projectRef, user.id)
  const s = t.sessions
  const sessions = user.sessions ?? []
  const one = asked === 'all' ? undefined : asked
  return (
    <Section
      title={s.title}
      id="sessions"
      action={
        mayWrite &&
        sessions.length > 0 && (
          <Button size="small" onClick={() => ask('all')}>
            {s.endAll}
          </Button>
        )
      }
    >
      {sessions.length === 0 ? (
        <p className="text-text-2">{s.empty}</p>
      ) : (
        <ul aria-label={s.label} className="divide-y divide-line border-y border-line">
          {sessions.map((session) => (
            <li key={session.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <div className="min-w-0 flex-1">
                <span className="font-medium" title={session.user_agent}>
                  {deviceOf(session.user_agent)}
                </span>{' '}
                <span className="font-mono text-sm text-text-2">{session.ip}</span> <Where place={session.place} />
                <p className="text-sm text-text-2">
                  {s.by(session.method || (session.methods ?? []).join(', '), session.provider)}
                  {session.aal === 'aal2' && ` · ${s.aal2}`} · {s.used} <Time at={session.refreshed_at ?? session.created_at} /> · {s.since} <Time at={session.created_at} /> · {s.refreshed(session.refreshes)}
                  {session.expires_at && (
                    <>
                      {' '}
                      · {s.expires} <Time at={session.expires_at} />
                    </>
                  )}
                </p>
                <Chain user={user} session={session.id} />
              </div>
              {mayWrite && (
                <Button size="small" onClick={() => ask(session)}>
                  {s.end}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      <History user={user} />
      {one && (
        <ConfirmDialog open onOpenChange={() => ask(undefined)} title={s.askOne} action={s.end} onConfirm={() => endOne.mutateAsync(one.id).then(() => toast(s.endedOne))}>
          <p>{s.textOne(deviceOf(one.user_agent))}</p>
        </ConfirmDialog>
      )}
      {asked === 'all' && (
        <ConfirmDialog open onOpenChange={() => ask(undefined)} title={s.askAll} action={s.endAll} onConfirm={() => endAll.mutateAsync().then(() => toast(s.endedAll))}>
          <p>{s.textAll(sessions.length)}</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}
