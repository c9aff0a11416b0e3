import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Sheet } from '@/components/dialog'
import { DiffList } from '@/components/diff'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Select } from '@/components/input'
import { Skeleton } from '@/components/state'
import { formatExact } from '@/lib/format'
import { projectSettings } from '@/strings/projectsettings'
import { compareQuery } from '../compare'
import { useNames } from './names'
import { RollbackDialog } from './rollbackdialog'
import type { Version } from './versions'

const t = projectSettings.history

type Props = {
  projectRef: string
  version: number
  versions: Version[]
  inForce: number | undefined
  author: (id: string | undefined) => string
  from?: number
  onFrom: (from: number | undefined) => void
  onClose: () => void
}

/** A version: what it changed, or in what it differs from another, and the way back to it. */
export function VersionSheet({ projectRef: ref, version, versions, inForce, author, from, onFrom, onClose }: Props) {
  const difference = useQuery(compareQuery(ref, version, from))
  const { change } = useNames(ref)
  const [asking, ask] = useState(false)
  const row = versions.find((v) => v.version === version)
  const changes = (difference.data?.changes ?? []).map(change)
  return (
    <>
      <Sheet
        open
        onOpenChange={(open) => !open && onClose()}
        title={t.version(version)}
        description={row && `${formatExact(row.created_at)} ${t.by(author(row.author))}${row.reason ? `: ${row.reason}` : ''}`}
        footer={
          inForce !== undefined &&
          version !== inForce && (
            <Button kind="primary" onClick={() => ask(true)}>
              {t.rollback}
            </Button>
          )
        }
      >
        <div className="space-y-4">
          <Field label={t.compare}>
            {(field) => (
              <Select {...field} value={from ?? ''} onChange={(event) => onFrom(Number(event.target.value) || undefined)}>
                <option value="">{t.before}</option>
                {versions
                  .filter((v) => v.version !== version)
                  .map((v) => (
                    <option key={v.version} value={v.version}>
                      {v.in_force ? t.now(v.version) : v.version}
                    </option>
                  ))}
              </Select>
            )}
          </Field>
          {difference.error ? (
            <ErrorNote error={difference.error} />
          ) : difference.isPending ? (
            <Skeleton className="h-24 w-full" />
          ) : changes.length === 0 ? (
            <p className="text-text-2">{difference.data?.from === 0 ? t.first : t.noChange}</p>
          ) : (
            <section aria-label={t.diff(difference.data?.from ?? 0)}>
              <h3 className="mb-1 text-sm text-text-2">{t.diff(difference.data?.from ?? 0)}</h3>
              <DiffList changes={changes} />
            </section>
          )}
        </div>
      </Sheet>
      {asking && inForce !== undefined && <RollbackDialog projectRef={ref} version={version} inForce={inForce} onClose={() => ask(false)} onDone={onClose} />}
    </>
  )
}
