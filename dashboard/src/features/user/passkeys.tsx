import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { Section } from '@/components/page'
import { Status } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { user as t } from '@/strings/user'
import { useDeletePasskey } from './mutations'
import type { Detail } from './user'

type Passkey = Schema<'UserPasskey'>

const k = t.passkeys
const nameOf = (p: Passkey) => p.friendly_name || p.model || k.unnamed
const placeOf = (p: Passkey) => (p.backed_up ? k.backedUp : p.backup_eligible ? k.notBackedUp : k.oneDevice)

/** The passkeys of a user. */
export function Passkeys({ user, projectRef, mayWrite }: { user: Detail; projectRef: string; mayWrite: boolean }) {
  const [asked, ask] = useState<Passkey>()
  const remove = useDeletePasskey(projectRef, user.id)
  const passkeys = user.passkeys ?? []
  return (
    <Section title={k.title} id="passkeys">
      {passkeys.length === 0 ? (
        <p className="text-text-2">{k.empty}</p>
      ) : (
        <ul aria-label={k.label} className="divide-y divide-line border-y border-line">
          {passkeys.map((passkey) => (
            <li key={passkey.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <div className="min-w-0 flex-1">
                <bdi className="font-medium break-words">{nameOf(passkey)}</bdi> <span className="text-text-2">{placeOf(passkey)}</span>
                <p className="text-sm text-text-2">
                  {k.created} <Time at={passkey.created_at} />, {k.used.toLowerCase()} <Time at={passkey.last_used_at} none={t.profile.never.toLowerCase()} />
                </p>
                {passkey.clone_warning_at && <p className="text-sm text-text-2">{k.clonedText}</p>}
              </div>
              {passkey.clone_warning_at && <Status tone="warn">{k.cloned}</Status>}
              {mayWrite && (
                <Button size="small" aria-label={`${k.delete}: ${nameOf(passkey)}`} onClick={() => ask(passkey)}>
                  {k.delete}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {asked && (
        <ConfirmDialog open onOpenChange={() => ask(undefined)} title={k.ask(nameOf(asked))} action={k.delete} onConfirm={() => remove.mutateAsync(asked.id).then(() => toast(k.done))}>
          <p>{k.text}</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}
