import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { user as t } from '@/strings/user'
import type { ActProps } from './actdialog'
import { BanDuration, banDuration } from './banduration'
import { useBan } from './mutations'
import { addressOf } from './words'

/** Bans a user for a time. */
export function BanDialog({ user, projectRef, onClose }: ActProps) {
  const [text, setText] = useState('24h')
  const ban = useBan(projectRef, user.id)
  const duration = banDuration(text)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!duration) return
    ban.mutate(duration, {
      onSuccess: () => {
        toast(t.ban.done)
        onClose()
      },
    })
  }
  return (
    <Dialog
      open
      onOpenChange={() => !ban.isPending && onClose()}
      title={t.ban.title(addressOf(user))}
      description={t.ban.text}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" form="ban" kind="danger" busy={ban.isPending} disabled={!duration}>
            {t.ban.submit}
          </Button>
        </>
      }
    >
      <form id="ban" onSubmit={submit} className="space-y-3 pb-2">
        <BanDuration value={text} onChange={setText} />
        {ban.error && <ErrorNote error={ban.error} />}
      </form>
    </Dialog>
  )
}
