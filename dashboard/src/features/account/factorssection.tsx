import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorNote, ErrorState } from '@/components/error'
import { Section } from '@/components/page'
import { Notice, Skeleton, Status } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { account } from '@/strings/account'
import { AddApp } from './addapp'
import { factorsQuery, useRemoveFactor } from './factors'
import { RecoveryCodes } from './recoverycodes'

/** The second factors of the person: authenticator apps, and codes for the day on which they are lost. */
export function FactorsSection({ back, onBack }: { back?: string; onBack: () => void }) {
  const t = account.factors
  const held = useQuery(factorsQuery)
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<{ id: string; name: string }>()
  const remove = useRemoveFactor()
  if (held.error) return <ErrorState error={held.error} onRetry={() => void held.refetch()} />
  const nameOf = (f: { friendly_name: string; type: string }) => f.friendly_name || t.kinds[f.type] || f.type
  const factors = (held.data?.factors ?? []).filter((f) => f.verified)
  const offers = held.data?.offers
  return (
    <Section
      id="factors"
      title={t.title}
      description={t.text}
      action={
        offers?.app && (
          <Button size="small" onClick={() => setAdding(true)}>
            {t.addApp}
          </Button>
        )
      }
    >
      {back && factors.length === 0 && <Notice tone="warn">{t.needed}</Notice>}
      {!held.data && <Skeleton className="h-14 w-full" />}
      {held.data && factors.length === 0 && <p className="mt-2 text-text-2">{t.none}</p>}
      {factors.length > 0 && (
        <ul aria-label={t.list} className="divide-y divide-line border-y border-line">
          {factors.map((f) => (
            <li key={f.id} className="flex min-h-14 flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <div className="min-w-0 flex-1">
                <bdi className="font-medium break-words">{nameOf(f)}</bdi>
                <p className="text-sm text-text-2">
                  {t.added} <Time at={f.created_at} />
                </p>
              </div>
              <Status tone="ok">{t.on}</Status>
              <Button size="small" aria-label={t.removeOf(nameOf(f))} onClick={() => setRemoving({ id: f.id, name: nameOf(f) })}>
                {t.remove}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {offers?.recovery_codes && factors.length > 0 && held.data && <RecoveryCodes {...held.data.recovery_codes} />}
      {adding && (
        <AddApp
          onClose={() => setAdding(false)}
          onAdded={() => {
            setAdding(false)
            toast(t.addedApp)
            if (back) onBack()
          }}
        />
      )}
      <ConfirmDialog
        open={!!removing}
        onOpenChange={() => setRemoving(undefined)}
        title={t.removeTitle(removing?.name ?? '')}
        action={t.remove}
        onConfirm={async () => {
          await remove.mutateAsync(removing?.id ?? '')
          toast(t.removed)
        }}
      >
        <p>{t.removeText}</p>
      </ConfirmDialog>
      {remove.error && <ErrorNote error={remove.error} />}
    </Section>
  )
}
