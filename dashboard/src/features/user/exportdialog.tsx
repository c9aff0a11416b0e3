import { useState } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Select } from '@/components/input'
import { toast } from '@/components/toast'
import { formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { users as t } from '@/strings/users'
import { useExport, type Format } from './export'
import type { UsersSearch } from './search'

/** Downloads the users of the search. */
export function ExportDialog({ projectRef, search, open, onClose }: { projectRef: string; search: UsersSearch; open: boolean; onClose: () => void }) {
  const [format, setFormat] = useState<Format>('csv')
  const run = useExport(projectRef, search)
  const e = t.exporting
  const close = () => {
    run.stop()
    run.reset()
    onClose()
  }
  const stopped = run.error instanceof DOMException && run.error.name === 'AbortError'
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      title={e.title}
      description={e.text}
      footer={
        <>
          <Button onClick={close}>{run.isPending ? e.stop : common.cancel}</Button>
          <Button
            kind="primary"
            busy={run.isPending}
            onClick={() =>
              run.mutate(format, {
                onSuccess: (n) => {
                  toast(e.done(formatNumber(n)))
                  onClose()
                },
              })
            }
          >
            {e.start}
          </Button>
        </>
      }
    >
      <div className="space-y-3 pb-2">
        <Field label={e.format}>
          {(f) => (
            <Select {...f} value={format} disabled={run.isPending} onChange={(event) => setFormat(event.target.value === 'ndjson' ? 'ndjson' : 'csv')}>
              <option value="csv">{e.csv}</option>
              <option value="ndjson">{e.ndjson}</option>
            </Select>
          )}
        </Field>
        {run.isPending && (
          <p role="status" className="tabular text-text-2">
            {e.progress(formatNumber(run.received))}
          </p>
        )}
        {run.error && !stopped && <ErrorNote error={run.error} />}
      </div>
    </Dialog>
  )
}
