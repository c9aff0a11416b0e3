import { useEffect, useRef, useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Skeleton } from '@/components/state'
import { account } from '@/strings/account'
import { useEnroll, useProve } from './factors'

/** Sets an authenticator app up: the image to read, and the first code. */
export function AddApp({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const t = account.factors.app
  const [code, setCode] = useState('')
  const enroll = useEnroll()
  const prove = useProve()
  const begun = useRef(false)
  const { mutate } = enroll
  useEffect(() => {
    if (begun.current) return
    begun.current = true
    mutate()
  }, [mutate])
  const app = enroll.data
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (app && code) prove.mutate({ factor_id: app.id, code: code.replaceAll(' ', '') }, { onSuccess: onAdded })
  }
  return (
    <Dialog open onOpenChange={onClose} title={t.title} description={t.text}>
      {enroll.error && <ErrorNote error={enroll.error} />}
      {!app && !enroll.error && <Skeleton className="h-48 w-full" />}
      {app && (
        <form className="space-y-4" onSubmit={submit}>
          <img src={app.qr_code.startsWith('data:') ? app.qr_code : `data:image/svg+xml;utf8,${encodeURIComponent(app.qr_code)}`} alt={t.image} className="mx-auto size-44 rounded bg-white p-2" />
          <p className="text-sm text-text-2">
            {t.secret} <Copyable text={app.secret} />
          </p>
          <Field label={t.code} help={t.codeHelp}>
            {(f) => <Input {...f} inputMode="numeric" autoComplete="one-time-code" value={code} maxLength={8} onChange={(e) => setCode(e.target.value)} />}
          </Field>
          {prove.error && <ErrorNote error={prove.error} />}
          <Button kind="primary" type="submit" busy={prove.isPending} disabled={!code}>
            {t.submit}
          </Button>
        </form>
      )}
    </Dialog>
  )
}
