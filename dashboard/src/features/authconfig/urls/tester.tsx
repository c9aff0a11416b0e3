import type { FormEvent } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Input } from '@/components/input'
import { KeyValue, KeyValues, Section } from '@/components/page'
import { Notice } from '@/components/state'
import { CheckList } from '@/components/steps'
import type { Schema } from '@/lib/api/client'
import { urls as t } from '@/strings/urls'
import { useSettings } from '../settings'
import { useTestRedirect } from './testredirect'

type Props = { url: string; onUrl: (url: string) => void }

/** Asks of a real address whether people may be sent there, and by which entry. */
export function RedirectTester({ url, onUrl }: Props) {
  const { ref, draft } = useSettings()
  const test = useTestRedirect(ref)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    test.mutate({ redirectTo: url.trim(), config: draft.values })
  }
  return (
    <Section title={t.tester.title} description={t.tester.description}>
      <form onSubmit={submit} className="flex flex-wrap gap-2">
        <Input aria-label={t.tester.url} placeholder="https://app.example.com/welcome" className="min-w-52 flex-1 font-mono" spellCheck={false} value={url} onChange={(e) => onUrl(e.target.value)} />
        <Button type="submit" busy={test.isPending} disabled={url.trim() === ''}>
          {t.tester.run}
        </Button>
      </form>
      <div className="mt-3 space-y-3">
        {test.error && <ErrorNote error={test.error} />}
        {test.data && <Verdict result={test.data} />}
      </div>
    </Section>
  )
}

function Verdict({ result }: { result: Schema<'AuthconfigRedirectTest'> }) {
  const patterns = result.patterns ?? []
  const by = result.by == null ? undefined : patterns[result.by]
  const nameOf = (p: Schema<'AuthconfigRedirectPattern'>) => (p.setting === 'site_url' ? t.tester.site(p.pattern) : t.tester.entry(p.entry, p.pattern))
  return (
    <div role="status" className="space-y-3">
      <Notice tone={result.allowed ? 'ok' : 'danger'}>
        <p className="font-medium">{result.allowed ? t.tester.allowed : t.tester.refused}</p>
        <p className="break-words">{result.refused ? result.refused : by ? t.tester.by(nameOf(by)) : t.tester.instead}</p>
      </Notice>
      <KeyValues>
        <KeyValue label={t.tester.target}>
          <code className="font-mono text-sm break-all">{result.target}</code>
        </KeyValue>
        {result.normalized && (
          <KeyValue label={t.tester.normalized}>
            <code className="font-mono text-sm break-all">{result.normalized}</code>
          </KeyValue>
        )}
      </KeyValues>
      {[...(result.warnings ?? []), ...patterns.flatMap((p) => (p.warnings ?? []).map((w) => `${p.pattern}: ${w}`))].map((w) => (
        <Notice key={w} tone="warn">
          {w}
        </Notice>
      ))}
      {patterns.length > 0 && <CheckList label={t.tester.patterns} checks={patterns.map((p) => ({ name: nameOf(p), status: p.matches ? 'passed' : 'skipped', word: p.matches ? t.tester.match : t.tester.noMatch, detail: p.matches ? undefined : p.reason }))} />}
    </div>
  )
}
