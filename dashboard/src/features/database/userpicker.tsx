import { useInfiniteQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useState } from 'react'
import { usersQuery } from '@/features/user/users'
import { IconButton } from '@/components/button'
import { FilterInput } from '@/components/filter'
import { database } from '@/strings/database'

const t = database.sql

/** Chooses the user as whom SQL runs. */
export function UserPicker({ projectRef, user, onUser }: { projectRef: string; user: string | undefined; onUser: (id: string | undefined) => void }) {
  const [wanted, setWanted] = useState('')
  const found = useInfiniteQuery({ ...usersQuery(projectRef, user ? { q: user } : wanted ? { q: wanted } : {}) })
  const users = found.data?.pages[0]?.users ?? []
  if (user) {
    const known = users.find((u) => u.id === user)
    return (
      <span className="inline-flex h-8 max-w-full min-w-0 items-center gap-1 rounded border border-line bg-surface pl-2.5">
        <span className="min-w-0 truncate" dir="auto" title={user}>
          {known?.email ?? known?.phone ?? user}
        </span>
        <IconButton icon={X} label={t.otherUser} onClick={() => onUser(undefined)} />
      </span>
    )
  }
  return (
    <span className="relative inline-block w-full sm:w-64">
      <FilterInput label={t.pickUser} value={wanted} onChange={setWanted} className="w-full" />
      <ul aria-label={t.pickUser} className="absolute inset-x-0 top-9 z-20 max-h-64 overflow-y-auto rounded border border-line bg-raised p-1 shadow-float empty:hidden">
        {users.slice(0, 8).map((u) => (
          <li key={u.id}>
            <button type="button" className="block w-full truncate rounded-sm px-2 py-1 text-left hover:bg-sunken focus-visible:bg-sunken" dir="auto" onClick={() => onUser(u.id)}>
              {u.email ?? u.phone ?? u.id}
            </button>
          </li>
        ))}
        {found.data && users.length === 0 && <li className="px-2 py-1 text-sm text-text-2">{t.noUser}</li>}
      </ul>
    </span>
  )
}
