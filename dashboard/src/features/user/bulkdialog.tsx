import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Checkbox, Input } from '@/components/input'
import { toast } from '@/components/toast'
import { formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { users as t } from '@/strings/users'
import { BanDuration, banDuration } from './banduration'
import { useBulk, type Action } from './bulk'
import { Outcomes } from './outcomes'
import type { Summary } from './users'
import { addressOf } from './words'

export const bulkActions = ['sign_out', 'ban', 'unban', 'delete'] as const

type Props = { projectRef: string; action: Action; users: Summary[]; /** With the ids that are still to be done, if any were tried. */ onClose: (left?: Set<string>) => void }

/** Asks before users are changed, shows the progress, and then what became of each. */
export function BulkDialog({ projectRef, action, users, onClose }: Props) {
  const bulk = useBulk(projectRef)
  const [duration, setDuration] = useState('24h')
  const [soft, setSoft] = useState(false)
  const [typed, setTyped] = useState('')
  const b = t.bulk
  const only = users.length === 1 ? users[0] : undefined
  const what = only ? addressOf(only) : b.count(formatNumber(users.length), false)
  const word = action === 'delete' ? (only ? addressOf(only) : b.typed(users.length)) : undefined
  const outcomes = bulk.data
  const left = new Set(outcomes?.filter((o) => o.result !== 'done').map((o) => o.id))
  const run = (ids: string[]) =>
    bulk.mutate(
      { action, ids, ...(action === 'ban' && { duration: banDuration(duration) }), ...(soft && { soft }) },
      {
        onSuccess: (all) => {
          if (!all.every((o) => o.result === 'done')) return
          toast(b.summary(all.length, 0, 0))
          onClose(new Set())
        },
      },
    )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    run(users.map((u) => u.id))
  }
  const close = () => !bulk.isPending && onClose(outcomes && left)
  if (outcomes && left.size > 0) {
    const again = outcomes.filter((o) => o.result === 'not_attempted').map((o) => o.id)
    return (
      <Dialog
        open
        onOpenChange={close}
        title={b.results}
        description={b.summary(outcomes.length - left.size, left.size - again.length, again.length)}
        footer={
          <>
            {again.length > 0 && (
              <Button onClick={() => run(again)} busy={bulk.isPending}>
                {b.again}
              </Button>
            )}
            <Button kind="primary" onClick={close}>
              {b.close}
            </Button>
          </>
        }
      >
        <Outcomes outcomes={outcomes} users={users} />
      </Dialog>
    )
  }
  return (
    <Dialog
      open
      onOpenChange={close}
      title={b.titles[action](what)}
      footer={
        <>
          <Button onClick={close} disabled={bulk.isPending}>
            {common.cancel}
          </Button>
          <Button type="submit" form="bulk" kind={action === 'unban' || action === 'sign_out' ? 'primary' : 'danger'} busy={bulk.isPending} disabled={(word !== undefined && typed !== word) || (action === 'ban' && !banDuration(duration))}>
            {b[action]}
          </Button>
        </>
      }
    >
      <form id="bulk" onSubmit={submit} className="space-y-3 pb-2">
        <p className="text-text-2">{b.texts[action]}</p>
        {action === 'ban' && <BanDuration value={duration} onChange={setDuration} />}
        {action === 'delete' && (
          <label className="flex items-start gap-2">
            <span className="pt-0.5">
              <Checkbox checked={soft} onCheckedChange={setSoft} />
            </span>
            {b.soft}
          </label>
        )}
        {word !== undefined && (
          <label className="block space-y-1">
            <span className="text-sm break-words text-text-2">{common.typeToConfirm(word)}</span>
            <Input value={typed} onChange={(e) => setTyped(e.target.value)} autoComplete="off" spellCheck={false} />
          </label>
        )}
        {bulk.isPending && users.length > 1 && (
          <p role="status" className="tabular text-text-2">
            {b.progress(formatNumber(bulk.done), formatNumber(users.length))}
          </p>
        )}
        {bulk.error && <ErrorNote error={bulk.error} />}
      </form>
    </Dialog>
  )
}
