import { useNavigate } from '@tanstack/react-router'
import { Menu, type MenuItem } from '@/components/menu'
import { toast } from '@/components/toast'
import { users as t } from '@/strings/users'
import type { Action } from './bulk'
import type { Summary } from './users'
import { bannedNow } from './words'

/** What can be done to the user of a row. */
export function RowMenu({ user, projectRef, onAct }: { user: Summary; projectRef: string; onAct?: (action: Action) => void }) {
  const navigate = useNavigate()
  const copy = (text: string) => void navigator.clipboard.writeText(text).then(() => toast(t.copied))
  const items: MenuItem[] = [
    { label: t.menu.open, onSelect: () => void navigate({ to: '/p/$ref/users/$id', params: { ref: projectRef, id: user.id } }) },
    { label: t.menu.copyId, onSelect: () => copy(user.id) },
    ...(user.email ? [{ label: t.menu.copyEmail, onSelect: () => copy(user.email) }] : []),
  ]
  if (onAct && !user.deleted_at) {
    items.push('separator', { label: t.menu.signOut, onSelect: () => onAct('sign_out') }, bannedNow(user) ? { label: t.menu.unban, onSelect: () => onAct('unban') } : { label: t.menu.ban, onSelect: () => onAct('ban') })
  }
  if (onAct) items.push('separator', { label: t.menu.delete, danger: true, onSelect: () => onAct('delete') })
  return <Menu items={items} />
}
