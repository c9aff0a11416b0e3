import { Status } from '@/components/state'
import type { Column } from '@/components/table'
import { Time } from '@/components/time'
import { users as t } from '@/strings/users'
import type { Summary } from './users'
import { addressOf, providerName, stateOf, titleOf } from './words'

function Named({ user }: { user: Summary }) {
  const title = titleOf(user)
  const address = addressOf(user)
  return (
    <span className="flex min-w-0 items-baseline gap-2" title={title === address ? title : `${title} ${address}`}>
      <bdi className="max-w-full min-w-0 shrink truncate font-medium">{title}</bdi>
      {title !== address && <bdi className="hidden min-w-24 flex-1 truncate text-text-2 sm:inline">{address}</bdi>}
    </span>
  )
}

function State({ user }: { user: Summary }) {
  const { tone, word } = stateOf(user)
  return <Status tone={tone}>{word}</Status>
}

export const columns: Column<Summary>[] = [
  { id: 'email', header: t.columns.user, width: 'minmax(280px,3fr)', narrow: 'minmax(150px,1fr)', sortable: true, cell: (u) => <Named user={u} /> },
  { id: 'state', header: t.columns.state, width: '150px', narrow: '136px', cell: (u) => <State user={u} /> },
  { id: 'methods', header: t.columns.methods, width: 'minmax(110px,1fr)', cell: (u) => <span className="text-text-2">{(u.providers ?? []).map(providerName).join(', ') || '–'}</span> },
  { id: 'last_sign_in_at', header: t.columns.last_sign_in_at, width: '130px', sortable: true, cell: (u) => <Time at={u.last_sign_in_at} none={t.never} /> },
  { id: 'created_at', header: t.columns.created_at, width: '130px', sortable: true, cell: (u) => <Time at={u.created_at} /> },
]
