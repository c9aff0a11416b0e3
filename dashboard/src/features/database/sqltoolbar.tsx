import { History, Play, Route } from 'lucide-react'
import { Button } from '@/components/button'
import { Checkbox, Select, Switch } from '@/components/input'
import { database } from '@/strings/database'
import type { Role } from './query'
import { UserPicker } from './userpicker'

const t = database.sql

export type SqlSearch = { as?: Exclude<Role, 'owner'>; user?: string; readonly?: boolean; limit?: number; sql?: string }

type Props = {
  projectRef: string
  search: SqlSearch
  onSearch: (next: SqlSearch) => void
  /** The role may only read. */
  forced: boolean
  keep: boolean
  onKeep: (keep: boolean) => void
  selection: boolean
  busy: boolean
  onRun: () => void
  onExplain: () => void
  onHistory: () => void
}

const limits = [100, 1000, 10_000]

/** How SQL runs: as whom, whether it may write, how many rows come back. */
export function SqlToolbar({ projectRef, search, onSearch, forced, keep, onKeep, selection, busy, onRun, onExplain, onHistory }: Props) {
  const role: Role = search.as ?? 'owner'
  const set = (change: SqlSearch) => onSearch({ ...search, ...change })
  const readOnly = forced || search.readonly === true
  const noUser = role === 'authenticated' && !search.user
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button kind="primary" icon={Play} busy={busy} disabled={noUser} onClick={onRun}>
          {selection ? t.runSelection : t.run}
        </Button>
        <label className="flex items-center gap-2">
          <span className="text-text-2">{t.as}</span>
          <Select aria-label={t.runAs} value={role} onChange={(e) => set({ as: e.target.value === 'owner' ? undefined : (e.target.value as SqlSearch['as']), ...(e.target.value !== 'authenticated' && { user: undefined }) })} className="w-52">
            {Object.entries(t.roles).map(([value, label]) => (
              <option key={value} value={value} disabled={forced && value !== 'owner'}>
                {label}
              </option>
            ))}
          </Select>
        </label>
        {role === 'authenticated' && <UserPicker projectRef={projectRef} user={search.user} onUser={(user) => set({ user })} />}
        <label className="flex items-center gap-2">
          <Switch checked={readOnly} disabled={forced} onCheckedChange={(on) => set({ readonly: on || undefined })} aria-label={t.readOnly} />
          <span>{t.readOnly}</span>
        </label>
        {role !== 'owner' && !readOnly && (
          <label className="flex items-center gap-2">
            <Checkbox checked={keep} onCheckedChange={onKeep} aria-label={t.keep} />
            <span>{t.keep}</span>
          </label>
        )}
        <label className="flex items-center gap-2">
          <span className="text-text-2">{t.limit}</span>
          <Select aria-label={t.most} value={search.limit ?? 1000} onChange={(e) => set({ limit: Number(e.target.value) === 1000 ? undefined : Number(e.target.value) })} className="w-28">
            {limits.map((n) => (
              <option key={n} value={n}>
                {n.toLocaleString()}
              </option>
            ))}
          </Select>
        </label>
        <span className="flex gap-1 sm:ml-auto">
          <Button kind="quiet" icon={Route} disabled={busy || noUser} onClick={onExplain}>
            {t.explain}
          </Button>
          <Button kind="quiet" icon={History} onClick={onHistory}>
            {t.history}
          </Button>
        </span>
      </div>
      <p className="text-sm text-text-2">{forced ? t.readOnlyForced : role === 'owner' ? t.asOwner : t.asCaller}</p>
    </div>
  )
}
