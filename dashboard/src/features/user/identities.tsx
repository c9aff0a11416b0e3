import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { Section } from '@/components/page'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { user as t } from '@/strings/user'
import { show } from './metadata'
import { useUnlink } from './mutations'
import type { Detail } from './user'
import { providerName } from './words'

/** The accounts by which a user signs in. */
export function Identities({ user, projectRef, mayWrite }: { user: Detail; projectRef: string; mayWrite: boolean }) {
  const [asked, ask] = useState<Schema<'UserIdentity'>>()
  const unlink = useUnlink(projectRef, user.id)
  const i = t.identities
  const identities = user.identities ?? []
  return (
    <Section title={i.title} id="identities">
      {identities.length === 0 && <p className="text-text-2">{i.empty}</p>}
      <ul className="divide-y divide-line border-y border-line">
        {identities.map((identity) => (
          <li key={identity.id} className="py-2">
            <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
              <div className="min-w-0 flex-1">
                <span className="font-medium">{providerName(identity.provider)}</span> <bdi className="break-all text-text-2">{identity.email || identity.provider_id}</bdi>
                <p className="text-sm text-text-2">
                  {i.lastSignIn} <Time at={identity.last_sign_in_at} />
                </p>
              </div>
              {mayWrite && identities.length > 1 && (
                <Button size="small" onClick={() => ask(identity)}>
                  {i.unlink}
                </Button>
              )}
            </div>
            <details className="mt-1">
              <summary className="cursor-pointer text-sm text-text-2 hover:text-text">{i.data}</summary>
              <pre tabIndex={0} className="mt-1 max-h-64 overflow-auto rounded bg-sunken p-2 font-mono text-sm break-words whitespace-pre-wrap">
                {show(identity.data)}
              </pre>
            </details>
          </li>
        ))}
      </ul>
      {asked && (
        <ConfirmDialog open onOpenChange={() => ask(undefined)} title={i.ask(providerName(asked.provider))} action={i.unlink} onConfirm={() => unlink.mutateAsync(asked.id).then(() => toast(i.done))}>
          <p>{i.text}</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}
