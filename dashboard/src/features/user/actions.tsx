import { ChevronDown } from 'lucide-react'
import { Button } from '@/components/button'
import { Menu, type MenuItem } from '@/components/menu'
import { user as t } from '@/strings/user'
import type { LinkKind } from './mutations'
import type { Detail } from './user'
import { bannedNow } from './words'

export type Act = { kind: 'mail'; mail: LinkKind } | { kind: 'link' | 'password' | 'ban' | 'unban' | 'delete' | 'confirmEmail' | 'confirmPhone' | 'signOut' }

type Offer = { label: string; act: Act; danger?: boolean; offered: boolean }

/** What can be done to a user, in groups; what would be refused is not offered. */
function offersOf(u: Detail): Offer[][] {
  const a = t.acts
  const reachable = Boolean(u.email) && !u.is_sso_user && !bannedNow(u)
  const confirmed = u.email_confirmed_at !== null
  const invited = u.invited_at !== null
  return [
    [
      { label: a.mailRecovery, act: { kind: 'mail', mail: 'recovery' }, offered: reachable },
      { label: a.mailMagic, act: { kind: 'mail', mail: 'magiclink' }, offered: reachable },
      { label: a.mailInvite, act: { kind: 'mail', mail: 'invite' }, offered: reachable && !confirmed && invited },
      { label: a.mailConfirmation, act: { kind: 'mail', mail: 'confirmation' }, offered: reachable && !confirmed && !invited },
      { label: a.link, act: { kind: 'link' }, offered: reachable },
    ],
    [
      { label: a.confirmEmail, act: { kind: 'confirmEmail' }, offered: Boolean(u.email) && !confirmed && !u.is_sso_user },
      { label: a.confirmPhone, act: { kind: 'confirmPhone' }, offered: Boolean(u.phone) && u.phone_confirmed_at === null },
      { label: a.password, act: { kind: 'password' }, offered: !u.is_anonymous && !u.is_sso_user },
      { label: a.signOut, act: { kind: 'signOut' }, offered: (u.sessions ?? []).length > 0 },
    ],
    [
      { label: a.unban, act: { kind: 'unban' }, offered: bannedNow(u) },
      { label: a.ban, act: { kind: 'ban' }, offered: !bannedNow(u), danger: true },
      { label: a.delete, act: { kind: 'delete' }, offered: true, danger: true },
    ],
  ]
}

/** The menu of a user's page. */
export function UserActions({ user, onAct }: { user: Detail; onAct: (act: Act) => void }) {
  const groups = offersOf(user)
    .map((group) => group.filter((o) => o.offered))
    .filter((group) => group.length > 0)
  const items = groups.flatMap((group, i): MenuItem[] => [
    ...(i > 0 ? (['separator'] as const) : []),
    ...group.map((o) => ({ label: o.label, danger: o.danger, onSelect: () => onAct(o.act) })),
  ])
  return (
    <Menu
      items={items}
      trigger={
        <Button>
          {t.actions} <ChevronDown className="size-4" strokeWidth={1.5} aria-hidden />
        </Button>
      }
    />
  )
}
