import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { CopyButton } from '@/components/copy'
import { ErrorNote } from '@/components/error'
import { Card, Section } from '@/components/page'
import { Skeleton, Status } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { keysQuery, useAddKey, useRemoveKey } from './sso'

const t = sso.keys

const pem = (der: string) => `-----BEGIN CERTIFICATE-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`

/** The keys of the project's service provider: one, or two while they are rotated. */
export function Keys({ projectRef: ref, mayWrite }: { projectRef: string; mayWrite: boolean }) {
  const keys = useQuery(keysQuery(ref))
  const add = useAddKey(ref)
  const remove = useRemoveKey(ref)
  const [removing, setRemoving] = useState<string>()
  const list = keys.data ?? []
  const chosen = list.find((k) => k.id === removing)
  return (
    <Section
      id="keys"
      title={t.title}
      description={t.text}
      action={
        list.length === 1 && (
          <Button disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} busy={add.isPending} onClick={() => add.mutate(undefined, { onSuccess: () => toast(t.added) })}>
            {t.add}
          </Button>
        )
      }
    >
      {(keys.error || add.error) && <ErrorNote error={keys.error ?? add.error} />}
      <Card>
        <ul className="divide-y divide-line" aria-label={t.title}>
          {keys.isPending && (
            <li className="px-4 py-3">
              <Skeleton className="h-5 w-full" />
            </li>
          )}
          {list.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center gap-x-6 gap-y-1 px-4 py-3">
              <span className="min-w-56 flex-1">
                <Status tone={key.signs ? 'ok' : 'info'}>{key.signs ? t.signs : t.waits}</Status>
              </span>
              <span className="text-text-2">
                {t.made} <Time at={key.created_at} />
              </span>
              <span className="text-text-2">
                {t.expires} <Time at={key.expires_at} />
              </span>
              <span className="inline-flex items-center gap-1 text-text-2">
                {t.certificate}
                <CopyButton text={pem(key.certificate)} label={`${common.copy}: ${t.certificate}`} />
              </span>
              {list.length > 1 && (
                <Button size="small" disabled={!mayWrite} onClick={() => setRemoving(key.id)}>
                  {t.remove}
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Card>
      <ConfirmDialog open={chosen !== undefined} onOpenChange={(open) => !open && setRemoving(undefined)} title={t.removeTitle} action={t.remove} onConfirm={async () => {
        if (chosen) await remove.mutateAsync(chosen.id)
        toast(t.removed)
      }}>
        <p>{chosen?.signs ? t.removeSigns : t.removeWaits}</p>
      </ConfirmDialog>
    </Section>
  )
}
