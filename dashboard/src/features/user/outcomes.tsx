import { Status } from '@/components/state'
import type { Schema } from '@/lib/api/client'
import { users as t } from '@/strings/users'
import type { Summary } from './users'
import { addressOf } from './words'

const tones = { done: 'ok', failed: 'danger', not_attempted: 'warn' } as const

/** What became of each user, the failures first. */
export function Outcomes({ outcomes, users }: { outcomes: Schema<'UserOutcome'>[]; users: Summary[] }) {
  const byId = new Map(users.map((u) => [u.id, u]))
  const order = { failed: 0, not_attempted: 1, done: 2 }
  const sorted = [...outcomes].sort((a, b) => order[a.result] - order[b.result]).slice(0, 500)
  return (
    <ul className="divide-y divide-line">
      {sorted.map((o) => {
        const user = byId.get(o.id)
        return (
          <li key={o.id} className="py-2">
            <div className="flex items-center gap-3">
              <bdi className="min-w-0 flex-1 truncate">{user ? addressOf(user) : o.id}</bdi>
              <Status tone={tones[o.result]}>{t.bulk.result[o.result]}</Status>
            </div>
            {o.message && (
              <p className="text-sm break-words text-text-2">
                {o.message} {o.code && <span className="font-mono text-xs text-text-3">{o.code}</span>}
              </p>
            )}
          </li>
        )
      })}
    </ul>
  )
}
