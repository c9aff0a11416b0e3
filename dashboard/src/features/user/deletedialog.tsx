import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { toast } from '@/components/toast'
import { user as t } from '@/strings/user'
import type { ActProps } from './actdialog'
import { useDeleteUser } from './mutations'
import { addressOf } from './words'

/** Deletes a user, or clears what is personal. */
export function DeleteDialog({ user, projectRef, onClose }: ActProps) {
  const [soft, setSoft] = useState(false)
  const remove = useDeleteUser(projectRef, user.id)
  const navigate = useNavigate()
  const d = t.delete
  const run = async () => {
    await remove.mutateAsync(soft)
    toast(t.acts.deleted)
    if (!soft) await navigate({ to: '/p/$ref/users', params: { ref: projectRef } })
  }
  const choices = [
    [false, d.hard, d.hardText],
    [true, d.soft, d.softText],
  ] as const
  return (
    <ConfirmDialog open onOpenChange={onClose} title={d.title(addressOf(user))} action={d.submit} typed={addressOf(user)} onConfirm={run}>
      <fieldset className="space-y-3">
        <legend className="sr-only">{d.legend}</legend>
        {choices.map(([value, label, text]) => (
          <label key={label} className="flex items-start gap-2">
            <input type="radio" name="soft" checked={soft === value} onChange={() => setSoft(value)} className="mt-1 accent-accent" />
            <span>
              <span className="block font-medium text-text">{label}</span>
              {text}
            </span>
          </label>
        ))}
      </fieldset>
    </ConfirmDialog>
  )
}
