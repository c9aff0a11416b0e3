import { useQuery } from '@tanstack/react-query'
import { Pause, Play, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Select } from '@/components/input'
import { Section } from '@/components/page'
import { Badge, Notice, Skeleton } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { cx } from '@/lib/cx'
import { formatExact, formatNumber, formatRelative } from '@/lib/format'
import { signingKeys } from '@/strings/signingkeys'
import { rotationQuery, useAdvanceRotation, usePlanRotation, type Rotation, type Step } from './rotation'

const t = signingKeys.autopilot
const steps: Step[] = ['publish', 'promote', 'retire']

/** The rotation of the signing keys: its steps, what the next one waits for, a hold, and its schedule. */
export function Autopilot({ projectRef, readOnly }: { projectRef: string; readOnly: boolean }) {
  const rotation = useQuery(rotationQuery(projectRef))
  const plan = usePlanRotation(projectRef)
  const advance = useAdvanceRotation(projectRef)
  const [asking, setAsking] = useState<Step>()
  const r = rotation.data
  if (rotation.error) return <ErrorNote error={rotation.error} />
  if (!r) return <Skeleton className="mb-8 h-40 w-full" />
  return (
    <Section
      id="rotation"
      title={t.title}
      description={t.description}
      action={
        !readOnly && (
          <div className="flex gap-2">
            <Button icon={r.held ? Play : Pause} disabled={plan.isPending} onClick={() => plan.mutate({ held: !r.held })}>
              {r.held ? t.release : t.hold}
            </Button>
            <Button onClick={() => setAsking(r.next_step)}>{t.now[r.next_step]}</Button>
          </div>
        )
      }
    >
      <ol className="grid gap-2 sm:grid-cols-3">
        {steps.map((step) => (
          <StepCard key={step} step={step} of={r} />
        ))}
      </ol>
      {plan.error && <ErrorNote error={plan.error} />}
      {r.old_sets.length > 0 && <OldSets of={r} />}
      <Schedule of={r} readOnly={readOnly} onChange={(change) => plan.mutate(change, { onSuccess: () => toast(t.planned) })} />
      {asking && (
        <ConfirmDialog
          open
          onOpenChange={() => setAsking(undefined)}
          title={t.confirm[asking].title}
          action={t.now[asking]}
          danger={early(r) && asking !== 'publish'}
          onConfirm={async () => {
            await advance.mutateAsync(asking)
            toast(t.done[asking])
          }}
        >
          <p>{t.confirm[asking].text}</p>
          {early(r) && asking !== 'publish' && <Notice tone="warn">{t.confirm[asking].early(r.next_at ? formatExact(r.next_at) : '')}</Notice>}
        </ConfirmDialog>
      )}
    </Section>
  )
}

const early = (r: Rotation) => r.next_at !== null && (Date.parse(r.next_at) > Date.now() || r.old_sets.length > 0)

/** One step: made, next or later; the next one says what it waits for. */
function StepCard({ step, of: r }: { step: Step; of: Rotation }) {
  const at = steps.indexOf(step)
  const next = steps.indexOf(r.next_step)
  return (
    <li aria-current={at === next ? 'step' : undefined} className={cx('space-y-1 rounded border p-3', at === next ? 'border-line-strong bg-surface' : 'border-line')}>
      <p className="flex items-center justify-between gap-2">
        <span className="font-medium">{t.steps[step].title}</span>
        {at < next && <Badge tone="ok">{t.made}</Badge>}
        {at === next && <Badge tone={r.waits_for === 'verifiers' ? 'warn' : r.held ? 'neutral' : 'info'}>{t.next}</Badge>}
      </p>
      <p className="text-sm text-text-2">{t.steps[step].text}</p>
      {at === next && (
        <p className="text-sm">
          {t.waits[r.waits_for](r.next_at ? formatRelative(r.next_at) : '')}
          {at > 0 && (
            <span className="block text-text-2">
              {t.since} <Time at={r.since} />
            </span>
          )}
        </p>
      )}
    </li>
  )
}

/** The verifiers that keep an old key set. */
function OldSets({ of: r }: { of: Rotation }) {
  return (
    <Notice tone="warn" icon={TriangleAlert}>
      <p className="font-medium">{t.oldSets(r.old_sets.length)}</p>
      <ul className="mt-1 space-y-0.5 text-sm">
        {r.old_sets.slice(0, 5).map((reader, i) => (
          <li key={i} className="break-words">
            <span className="font-mono">{reader.ip || t.unknown}</span> {reader.user_agent} · {t.requests(formatNumber(reader.requests))} · <Time at={reader.last_at} />
          </li>
        ))}
      </ul>
    </Notice>
  )
}

function Schedule({ of: r, readOnly, onChange }: { of: Rotation; readOnly: boolean; onChange: (change: { days?: number; algorithm?: Rotation['algorithm'] }) => void }) {
  const days = [0, 30, 90, 180, 365]
  if (!days.includes(r.days)) days.push(r.days)
  return (
    <div className="mt-4 grid max-w-2xl gap-4 sm:grid-cols-[1fr_2fr]">
      <Field label={t.schedule}>
        {(field) => (
          <Select {...field} disabled={readOnly} value={r.days} onChange={(e) => onChange({ days: Number(e.target.value) })}>
            {days.map((n) => (
              <option key={n} value={n}>
                {n === 0 ? t.onDemand : t.every(n)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={t.algorithm}>
        {(field) => (
          <Select {...field} disabled={readOnly} value={r.algorithm} onChange={(e) => onChange({ algorithm: e.target.value as Rotation['algorithm'] })}>
            {(['ES256', 'RS256', 'EdDSA'] as const).map((name) => (
              <option key={name} value={name}>
                {signingKeys.form.algorithms[name]}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </div>
  )
}
