import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Badge } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { passkeysWork } from '@/lib/passkey'
import { account } from '@/strings/account'
import { factorsQuery, useAddPasskey, useRemovePasskey } from './factors'

/** Passkeys: sign-in without a password. Shown where the installation has them on. */
export function PasskeysSection() {
  const t = account.passkeys
  const held = useQuery(factorsQuery).data
  const add = useAddPasskey()
  const remove = useRemovePasskey()
  const [removing, setRemoving] = useState<string>()
  if (!held?.offers.passkeys) return null
  const list = held.passkeys ?? []
  return (
    <Section
      id="passkeys"
      title={t.title}
      description={held.offers.passkeys_count ? t.textCounts : t.text}
      action={
        <Button size="small" busy={add.isPending} disabled={!passkeysWork()} onClick={() => add.mutate(undefined, { onSuccess: () => toast(t.added) })}>
          {t.add}
        </Button>
      }
    >
      {add.error && (add.error instanceof DOMException ? <p role="alert">{t.cancelled}</p> : <ErrorNote error={add.error} />)}
      {list.length === 0 && <p className="text-text-2">{passkeysWork() ? t.none : t.unsupported}</p>}
      {list.length > 0 && (
        <ul aria-label={t.list} className="divide-y divide-line border-y border-line">
          {list.map((k) => (
            <li key={k.id} className="flex min-h-14 flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <div className="min-w-0 flex-1">
                <bdi className="font-medium break-words">{k.friendly_name || t.one}</bdi>
                <p className="text-sm text-text-2">
                  {account.factors.added} <Time at={k.created_at} />
                </p>
              </div>
              {k.backed_up && <Badge>{t.synced}</Badge>}
              <Button size="small" aria-label={account.factors.removeOf(k.friendly_name || t.one)} onClick={() => setRemoving(k.id)}>
                {account.factors.remove}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <ConfirmDialog
        open={!!removing}
        onOpenChange={() => setRemoving(undefined)}
        title={t.removeTitle}
        action={account.factors.remove}
        onConfirm={async () => {
          await remove.mutateAsync(removing ?? '')
          toast(t.removed)
        }}
      >
        <p>{t.removeText}</p>
      </ConfirmDialog>
    </Section>
  )
}
