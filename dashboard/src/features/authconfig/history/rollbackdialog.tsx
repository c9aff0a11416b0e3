import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { DiffList } from '@/components/diff'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Notice, Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import { projectSettings } from '@/strings/projectsettings'
import { useRollback } from '../rollback'
import { useNames } from './names'
import { rollbackPreviewQuery } from './rollbackpreview'

const t = projectSettings.history

type Props = { projectRef: string; version: number; inForce: number; onClose: () => void; onDone: () => void }

/** Asks before a roll-back, with what it changes and what the server warns of. */
export function RollbackDialog({ projectRef: ref, version, inForce, onClose, onDone }: Props) {
  const preview = useQuery(rollbackPreviewQuery(ref, version, inForce))
  const rollback = useRollback(ref)
  const { change } = useNames(ref)
  const [reason, setReason] = useState('')
  const changes = preview.data?.changes.map(change)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.rollbackTitle(version)}
      action={t.rollback}
      danger={false}
      onConfirm={async () => {
        const now = await rollback.mutateAsync({ version, reason: reason.trim(), inForce })
        toast(t.done(now.version))
        onDone()
      }}
    >
      <p>{t.rollbackText(version)}</p>
      {preview.error ? <ErrorNote error={preview.error} /> : !changes ? <Skeleton className="h-16 w-full" /> : changes.length === 0 ? <p>{t.rollbackNothing}</p> : null}
      {preview.data?.warnings.map((w) => (
        <Notice key={w} tone="warn">
          {w}
        </Notice>
      ))}
      {changes && changes.length > 0 && (
        <div className="text-text">
          <p className="text-sm text-text-2">{t.rollbackChanges}</p>
          <DiffList changes={changes} />
        </div>
      )}
      <Field label={t.reason}>{(field) => <Input {...field} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />}</Field>
    </ConfirmDialog>
  )
}
