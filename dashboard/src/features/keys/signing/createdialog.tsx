import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { Field } from '@/components/form'
import { Select, Textarea } from '@/components/input'
import { toast } from '@/components/toast'
import { signingKeys as t } from '@/strings/signingkeys'
import { useCreateSigningKey, type SigningKey } from './signingkeys'

const parse = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}

/** Makes a signing key, or imports one. */
export function CreateSigningKey({ projectRef, onClose }: { projectRef: string; onClose: () => void }) {
  const create = useCreateSigningKey(projectRef)
  const [algorithm, setAlgorithm] = useState<SigningKey['algorithm']>('ES256')
  const [status, setStatus] = useState<'standby' | 'in_use'>('standby')
  const [jwk, setJwk] = useState('')
  const wrong = jwk.trim() !== '' && parse(jwk) === undefined
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.form.title}
      action={t.create}
      danger={false}
      onConfirm={async () => {
        if (wrong) throw new Error(t.form.importWrong)
        await create.mutateAsync({ algorithm, status, ...(jwk.trim() && { private_jwk: parse(jwk) }) })
        toast(t.done.created)
      }}
    >
      <Field label={t.form.algorithm}>
        {(field) => (
          <Select {...field} value={algorithm} onChange={(e) => setAlgorithm(e.target.value as SigningKey['algorithm'])}>
            {Object.entries(t.form.algorithms).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t.form.status}>
        {(field) => (
          <Select {...field} value={status} onChange={(e) => setStatus(e.target.value as 'standby' | 'in_use')}>
            {Object.entries(t.form.statuses).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t.form.import} help={t.form.importHelp} error={wrong && t.form.importWrong}>
        {(field) => <Textarea {...field} rows={3} value={jwk} onChange={(e) => setJwk(e.target.value)} className="font-mono text-sm" spellCheck={false} autoComplete="off" />}
      </Field>
    </ConfirmDialog>
  )
}
