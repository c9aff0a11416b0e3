import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Switch } from '@/components/input'
import { Section } from '@/components/page'
import { Skeleton } from '@/components/state'
import { toastError } from '@/components/toast'
import { keys as t } from '@/strings/keys'
import { legacyQuery, useSetLegacy } from './legacy'

/** Whether the project accepts legacy keys. */
export function LegacySection({ projectRef, disabled }: { projectRef: string; disabled: boolean }) {
  const legacy = useQuery(legacyQuery(projectRef))
  const set = useSetLegacy(projectRef)
  const [ending, setEnding] = useState(false)
  const on = set.isPending ? set.variables : (legacy.data?.enabled ?? false)
  return (
    <Section id="legacy" title={t.legacy.title} description={t.legacy.text}>
      {legacy.error ? (
        <ErrorNote error={legacy.error} />
      ) : (
        <div className="flex h-8 items-center gap-3">
          {legacy.data ? (
            <>
              <Switch
                aria-label={t.legacy.label}
                checked={on}
                disabled={disabled || set.isPending}
                onCheckedChange={(next) => (next ? set.mutate(true, { onError: toastError }) : setEnding(true))}
              />
              <span>{on ? t.legacy.on : t.legacy.off}</span>
            </>
          ) : (
            <Skeleton className="h-5 w-28" />
          )}
        </div>
      )}
      <ConfirmDialog open={ending} onOpenChange={setEnding} title={t.legacy.offTitle} action={t.legacy.offAction} onConfirm={() => set.mutateAsync(false)}>
        <p>{t.legacy.offText}</p>
      </ConfirmDialog>
    </Section>
  )
}
