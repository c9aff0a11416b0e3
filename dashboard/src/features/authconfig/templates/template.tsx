import { useQuery } from '@tanstack/react-query'
import { RotateCcw } from 'lucide-react'
import { useMemo, useRef } from 'react'
import { Button } from '@/components/button'
import { Editor } from '@/components/editor'
import { ErrorNote, ErrorState } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { Section } from '@/components/page'
import { Notice, Skeleton } from '@/components/state'
import { settings as words } from '@/strings/settings'
import { templates as t } from '@/strings/templates'
import { sayNeed, unmet } from '../needs'
import { PageHead } from '../page'
import { useRested, useSettings } from '../settings'
import { builtinQuery, type Builtin, type Kind } from './builtin'
import { namesOf } from './list'
import { Preview, type View } from './previewpane'
import { SampleData, useSampleData } from './sampledata'
import { SendTest } from './sendtestpane'
import { TemplateErrors } from './errors'
import { mailQuery } from './preview'
import { Variables } from './variables'

/** A kind of mail: its templates at the left, the mail with sample data beside. */
export function TemplatePage({ kind, view, onView }: { kind: Kind; view: View; onView: (view: View) => void }) {
  const { ref } = useSettings()
  const builtin = useQuery(builtinQuery(ref, kind))
  if (builtin.error) return <ErrorState error={builtin.error} onRetry={() => void builtin.refetch()} />
  return (
    <>
      <PageHead above="templates" title={words.mails[kind] ?? kind} description={t.when[kind]} />
      {builtin.data ? <Template kind={kind} builtin={builtin.data} view={view} onView={onView} /> : <Skeleton className="h-96 w-full" />}
    </>
  )
}

function Template({ kind, builtin, view, onView }: { kind: Kind; builtin: Builtin; view: View; onView: (view: View) => void }) {
  const settings = useSettings()
  const { ref, value, set, error } = settings
  const names = namesOf(kind)
  const subject = String(value(names.subject) || builtin.subject)
  const content = String(value(names.content) || builtin.content)
  const [sample, setSample, data] = useSampleData()
  const own = { subject: String(value(names.subject) ?? ''), content: String(value(names.content) ?? '') }
  const texts = useRested(useMemo(() => ({ subject: own.subject, content: own.content, ...(data ? { data } : {}) }), [own.subject, own.content, data]))
  const insert = useRef<((text: string) => void) | null>(null)
  const mail = useQuery(mailQuery(ref, kind, texts))
  const declared = settings.setting(names.content)
  const need = declared && unmet(declared, value)
  const errors = mail.data?.errors
  const faults = useMemo(() => (errors ?? []).filter((e) => e.part === 'content').map((e) => e.line), [errors])
  // The built-in text is the empty one: who types it back has no text of their own.
  const put = (name: string, text: string, own: string) => set({ [name]: text === own ? '' : text })
  const changed = Boolean(value(names.subject) || value(names.content))
  return (
    <>
      {need && (
        <div className="mb-4">
          <Notice tone="warn">{sayNeed(need, settings)}</Notice>
        </div>
      )}
      <div className="mb-6 space-y-4">
        <Field label={t.subject} error={error(names.subject)}>
          {(field) => <Input {...field} spellCheck={false} className="font-mono" value={subject} maxLength={998} onChange={(event) => put(names.subject, event.target.value, builtin.subject)} />}
        </Field>
        <div className="space-y-2">
          <div className="flex flex-wrap items-center gap-2">
            <span className="flex-1 font-medium">{t.content}</span>
            <Variables variables={builtin.variables ?? []} onInsert={(text) => insert.current?.(text)} />
            <Button size="small" kind="quiet" icon={RotateCcw} disabled={!changed} onClick={() => set({ [names.subject]: '', [names.content]: '' })}>
              {t.backToBuiltin}
            </Button>
          </div>
          <Editor language="html" label={t.content} value={content} maxHeight="420px" faults={faults} insert={insert} onChange={(text) => put(names.content, text, builtin.content)} />
          {error(names.content) && (
            <p role="alert" className="text-sm text-danger">
              {error(names.content)}
            </p>
          )}
          <TemplateErrors errors={errors ?? []} />
        </div>
      </div>
      <Section title={t.preview} description={t.previewText}>
        {mail.error ? <ErrorNote error={mail.error} /> : <Preview mail={mail.data} view={view} onView={onView} />}
        <SampleData text={sample} onText={setSample} />
      </Section>
      <SendTest projectRef={ref} kind={kind} texts={texts} />
    </>
  )
}
