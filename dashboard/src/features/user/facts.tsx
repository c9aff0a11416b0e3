import { Copyable } from '@/components/copy'
import { KeyValue, KeyValues } from '@/components/page'
import { Badge } from '@/components/state'
import { Time } from '@/components/time'
import { user as t } from '@/strings/user'
import type { Detail } from './user'
import { phoneOf } from './words'

function Confirmed({ at }: { at: string | null }) {
  return <Badge tone={at ? 'ok' : 'warn'}>{at ? t.profile.confirmed : t.profile.unconfirmed}</Badge>
}

/** What is known of a user, and not edited. */
export function Facts({ user }: { user: Detail }) {
  const p = t.profile
  return (
    <div className="mb-8">
      <KeyValues>
        <KeyValue label={p.id}>
          <Copyable text={user.id} />
        </KeyValue>
        {user.email && (
          <KeyValue label={p.email}>
            <span className="flex flex-wrap items-center gap-2">
              <Copyable text={user.email} /> <Confirmed at={user.email_confirmed_at} />
            </span>
            {user.new_email && <p className="text-sm text-text-2">{p.pending(user.new_email)}</p>}
          </KeyValue>
        )}
        {user.phone && (
          <KeyValue label={p.phone}>
            <span className="flex flex-wrap items-center gap-2">
              <Copyable text={phoneOf(user.phone)} /> <Confirmed at={user.phone_confirmed_at} />
            </span>
            {user.new_phone && <p className="text-sm text-text-2">{p.pending(phoneOf(user.new_phone))}</p>}
          </KeyValue>
        )}
        {(user.is_anonymous || user.is_sso_user) && <KeyValue label={p.kind}>{user.is_anonymous ? p.anonymous : p.sso}</KeyValue>}
        <KeyValue label={p.lastSignIn}>
          <Time at={user.last_sign_in_at} none={p.never} />
        </KeyValue>
        <KeyValue label={p.created}>
          <Time at={user.created_at} />
        </KeyValue>
        <KeyValue label={p.password}>{user.has_password ? p.hasPassword : p.noPassword}</KeyValue>
        <KeyValue label={p.role}>
          <span className="font-mono text-sm">{user.role}</span>
        </KeyValue>
      </KeyValues>
    </div>
  )
}
