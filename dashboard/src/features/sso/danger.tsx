import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Card, Section } from '@/components/page'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { useDeleteConnection, useUpdateConnection, type Connection } from './sso'

const t = sso.danger

/** Switching off and deleting, with what ends by it. */
export function Danger({ projectRef: ref, connection: c, mayWrite }: { projectRef: string; connection: Connection; mayWrite: boolean }) {
  const [asking, ask] = useState<'off' | 'delete'>()
  const update = useUpdateConnection(ref, c.id)
  const remove = useDeleteConnection(ref, c.id)
  const navigate = useNavigate()
  const hint = mayWrite ? undefined : common.notAllowed
  return (
    <Section id="danger" title={t.title}>
      {update.error && asking === undefined && <ErrorNote error={update.error} />}
      <Card className="divide-y divide-line">
        <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
          <p className="text-text-2">{t.offText}</p>
          {c.enabled ? (
            <Button disabled={!mayWrite} title={hint} onClick={() => ask('off')}>
              {t.off}
            </Button>
          ) : (
            <Button disabled={!mayWrite} title={hint} busy={update.isPending} onClick={() => update.mutate({ enabled: true }, { onSuccess: () => toast(t.isOn(c.label)) })}>
              {t.on}
            </Button>
          )}
        </div>
        <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
          <p className="text-text-2">{t.removeText}</p>
          <Button kind="danger" disabled={!mayWrite} title={hint} onClick={() => ask('delete')}>
            {t.remove}
          </Button>
        </div>
      </Card>
      <ConfirmDialog open={asking === 'off'} onOpenChange={(open) => !open && ask(undefined)} title={t.offTitle(c.label)} action={t.off} onConfirm={async () => {
        await update.mutateAsync({ enabled: false })
        toast(t.isOff(c.label))
      }}>
        <p>{t.offText}</p>
        <p>{t.sessions(c.sessions)}</p>
      </ConfirmDialog>
      <ConfirmDialog open={asking === 'delete'} onOpenChange={(open) => !open && ask(undefined)} title={t.removeTitle(c.label)} action={t.remove} typed={c.label} onConfirm={async () => {
        await remove.mutateAsync()
        toast(t.removed(c.label))
        void navigate({ to: '/p/$ref/sso', params: { ref } })
      }}>
        <p>{t.users(c.users)} {t.sessions(c.sessions)}</p>
        <p>{t.removeText}</p>
      </ConfirmDialog>
    </Section>
  )
}
