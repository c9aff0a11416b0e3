import { useState } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ConfirmDialog, Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { account } from '@/strings/account'
import { useMakeCodes } from './factors'

/** Recovery codes: how many are left, and new ones, which are shown once. */
export function RecoveryCodes({ total, remaining }: { total: number; remaining: number }) {
  const t = account.factors.codes
  const make = useMakeCodes()
  const [asked, ask] = useState(false)
  const [shown, show] = useState<string[]>()
  const run = () => make.mutateAsync().then((made) => show(made.codes ?? []))
  return (
    <div className="flex min-h-14 flex-wrap items-center gap-x-4 gap-y-1 py-2">
      <div className="min-w-0 flex-1">
        <span className="font-medium">{t.title}</span>
        <p className="text-sm text-text-2">{total > 0 ? t.left(remaining, total) : t.none}</p>
      </div>
      <Button size="small" busy={make.isPending} onClick={() => (total > 0 ? ask(true) : void run().catch(() => {}))}>
        {total > 0 ? t.again : t.make}
      </Button>
      {make.error && <ErrorNote error={make.error} />}
      <ConfirmDialog open={asked} onOpenChange={ask} title={t.againTitle} action={t.again} onConfirm={run}>
        <p>{t.againText}</p>
      </ConfirmDialog>
      <Dialog open={!!shown} onOpenChange={() => show(undefined)} title={t.title} description={t.shown}>
        <CodeBlock code={(shown ?? []).join('\n')} label={t.title} />
        <Button kind="primary" className="mt-4" onClick={() => show(undefined)}>
          {t.kept}
        </Button>
      </Dialog>
    </div>
  )
}
