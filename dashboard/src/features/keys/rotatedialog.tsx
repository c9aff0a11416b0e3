import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { Field } from '@/components/form'
import { Select } from '@/components/input'
import { formatExact, formatRelative } from '@/lib/format'
import { keys as t } from '@/strings/keys'
import { keyId, type Key } from './keys'
import type { Made } from './made'
import { useRotateKey } from './rotate'

type Props = { projectRef: string; of: Key; lastUsed?: string | null; onClose: () => void; onMade: (made: Made) => void }

/** Replaces a key by a new one; the old one works on for an overlap. */
export function RotateDialog({ projectRef, of, lastUsed, onClose, onMade }: Props) {
  const [overlap, setOverlap] = useState(86_400)
  const rotate = useRotateKey(projectRef, keyId(of))
  const end = Math.min(Date.now() + overlap * 1000, of.expires_at ? Date.parse(of.expires_at) : Infinity)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.rotate.title(of.name)}
      action={t.rotate.action}
      danger={overlap === 0}
      onConfirm={async () => {
        const key = await rotate.mutateAsync({ overlap_seconds: overlap })
        onMade({ key, oldUntil: overlap > 0 ? new Date(end).toISOString() : null })
      }}
    >
      <p>{t.rotate.text}</p>
      <Field label={t.rotate.overlap} help={overlap === 0 ? t.rotate.atOnce : t.rotate.until(formatExact(new Date(end)))}>
        {(field) => (
          <Select {...field} value={overlap} onChange={(e) => setOverlap(Number(e.target.value))}>
            {Object.entries(t.rotate.overlaps).map(([seconds, text]) => (
              <option key={seconds} value={seconds}>
                {text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {lastUsed && <p>{t.rotate.used(formatRelative(lastUsed))}</p>}
    </ConfirmDialog>
  )
}
