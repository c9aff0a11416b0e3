import { Play } from 'lucide-react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { DiffList, type Change } from '@/components/diff'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Notice } from '@/components/state'
import type { Schema } from '@/lib/api/client'
import { formatMillis } from '@/lib/format'
import { common } from '@/strings/common'
import { hooks as t } from '@/strings/hooks'
import { useSettings } from '../settings'
import { useTestHook } from './hooks'
import { claimsOf, indented } from './json'
import { settingOf, type Point } from './points'
import { stateOf } from './words'

type Test = Schema<'HookTest'>

const tones = { ok: 'ok', refused: 'warn', failed: 'danger', timeout: 'danger' } as const

/** Calls the hook with a sample user, and shows what was sent and what came back. */
export function Trial({ point }: { point: Point }) {
  const settings = useSettings()
  const test = useTestHook(settings.ref, point)
  const { unsaved } = stateOf(settings, point)
  const saved = Boolean(settings.saved[settingOf(point, 'uri')])
  const reason = settings.readOnly ? common.notAllowed : saved ? undefined : t.test.nothing
  return (
    <Section
      id="test"
      title={t.test.title}
      description={t.test.text}
      action={
        <Button icon={Play} busy={test.isPending} disabled={reason !== undefined} title={reason} onClick={() => test.mutate()}>
          {t.test.run}
        </Button>
      }
    >
      <div role="status" className="space-y-3">
        {unsaved && <p className="text-warn">{t.test.unsaved}</p>}
        {test.error && <ErrorNote error={test.error} />}
        {test.data && <Outcome of={test.data} point={point} />}
      </div>
    </Section>
  )
}

function Outcome({ of: out, point }: { of: Test; point: Point }) {
  const answer = out.answer ?? ''
  const claims = point === 'custom_access_token' && out.outcome === 'ok'
  return (
    <>
      <Notice tone={tones[out.outcome]}>
        <p>
          {t.test.outcome[out.outcome](formatMillis(out.duration_ms))}
          {out.status > 0 && ` ${t.test.status(out.status)}`}
        </p>
        {out.error && <p className="break-words text-text-2">{out.error}</p>}
      </Notice>
      {claims && <Claims sent={out.payload} answer={answer} />}
      <div className="grid gap-3 xl:grid-cols-2">
        {out.payload !== undefined && <CodeBlock label={t.test.sent} code={JSON.stringify(out.payload, null, 2)} />}
        {answer ? <CodeBlock label={t.test.answer} code={indented(answer)} /> : <p className="text-text-2">{t.test.noAnswer}</p>}
      </div>
    </>
  )
}

/** What the hook made of the claims. */
function Claims({ sent, answer }: { sent: unknown; answer: string }) {
  const before = claimsOf(sent)
  const after = claimsOf(answer)
  if (!before || !after) return null
  const changes: Change[] = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ name, before: before[name], after: name in after ? (after[name] ?? 'null') : undefined }))
  return (
    <div className="rounded border border-line bg-surface px-4 py-2">
      <h3 className="font-medium">{t.test.claims}</h3>
      {changes.length === 0 ? <p className="text-text-2">{t.test.same}</p> : <DiffList changes={changes} />}
    </div>
  )
}
