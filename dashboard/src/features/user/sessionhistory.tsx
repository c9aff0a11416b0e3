import { Time } from '@/components/time'
import type { Schema } from '@/lib/api/client'
import { user as t } from '@/strings/user'
import { deviceOf } from '@/lib/device'
import type { Detail } from './user'

/** The place of a client, where the operator has a database of places. */
export function Where({ place }: { place: Schema<'UserSession'>['place'] }) {
  if (!place) return null
  return <span className="text-sm text-text-2">{[place.city, place.region, place.country].filter(Boolean).join(', ')}</span>
}

function Client({ of }: { of: Pick<Schema<'UserSession'>, 'user_agent' | 'ip' | 'place'> }) {
  return (
    <>
      <span title={of.user_agent}>{deviceOf(of.user_agent)}</span> <span className="font-mono text-sm text-text-2">{of.ip}</span> <Where place={of.place} />
    </>
  )
}

/** The ordinary refreshes of a session, the newest first. */
export function Chain({ user, session }: { user: Detail; session: string }) {
  const s = t.sessions
  const rotations = (user.rotations ?? []).filter((rotation) => rotation.session_id === session)
  if (rotations.length === 0) return null
  return (
    <details className="text-sm">
      <summary className="cursor-pointer text-text-2">
        {s.rotations} ({rotations.length})
      </summary>
      <ul aria-label={s.rotationsLabel} className="mt-1 border-l border-line pl-3">
        {rotations.map((rotation) => (
          <li key={rotation.at} className="py-1">
            <Time at={rotation.at} /> <Client of={rotation} />
          </li>
        ))}
      </ul>
    </details>
  )
}

/** Why sessions ended, and which used refresh tokens came again. */
export function History({ user }: { user: Detail }) {
  const s = t.sessions
  const ended = user.ended_sessions ?? []
  const refreshes = user.refreshes ?? []
  return (
    <>
      {ended.length > 0 && (
        <details className="mt-4">
          <summary className="cursor-pointer font-medium">
            {s.ended} ({ended.length})
          </summary>
          <ul aria-label={s.endedLabel} className="mt-2 divide-y divide-line border-y border-line">
            {ended.map((session) => (
              <li key={session.id} className="py-2">
                <Client of={session} />
                <p className="text-sm text-text-2">
                  <Time at={session.ended_at} /> · {s.cause[session.cause]} · {s.since} <Time at={session.created_at} />
                </p>
                <Chain user={user} session={session.id} />
              </li>
            ))}
          </ul>
        </details>
      )}
      {refreshes.length > 0 && (
        <details className="mt-4">
          <summary className="cursor-pointer font-medium">
            {s.refreshes} ({refreshes.length})
          </summary>
          <ul aria-label={s.refreshesLabel} className="mt-2 divide-y divide-line border-y border-line">
            {refreshes.map((refresh) => (
              <li key={`${refresh.session_id} ${refresh.at}`} className="py-2">
                <Client of={refresh} />
                <p className="text-sm text-text-2">
                  <Time at={refresh.at} /> · {s.decision[refresh.decision]} · {s.behind(refresh.behind)}
                </p>
                {refresh.last_rotation && (
                  <p className="text-sm text-text-2">
                    {s.lastRotation} <Client of={refresh.last_rotation} /> <Time at={refresh.last_rotation.at} />
                  </p>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}
