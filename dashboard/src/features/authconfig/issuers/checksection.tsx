import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Textarea } from '@/components/input'
import { Section } from '@/components/page'
import { Notice } from '@/components/state'
import { issuers as t } from '@/strings/issuers'
import { useCheckToken } from './checktoken'

/** Says what an access token may see. The token is kept in this field alone. */
export function CheckToken({ projectRef }: { projectRef: string }) {
  const [token, setToken] = useState('')
  const check = useCheckToken(projectRef)
  const c = t.check
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim()) check.mutate(token.trim())
  }
  return (
    <Section id="check" title={c.title} description={c.text}>
      <form onSubmit={submit} className="space-y-3">
        <Field label={c.field} help={c.help}>
          {(field) => <Textarea {...field} rows={3} className="font-mono text-sm" spellCheck={false} autoComplete="off" maxLength={16_384} placeholder="eyJ…" value={token} onChange={(event) => setToken(event.target.value)} />}
        </Field>
        <Button type="submit" busy={check.isPending} disabled={token.trim() === ''}>
          {c.run}
        </Button>
        <div role="status" className="space-y-3">
          {check.error && <ErrorNote error={check.error} />}
          {check.data && (
            <>
              <Notice tone={check.data.role === 'authenticated' ? 'ok' : 'warn'}>
                <p>{c.ok(check.data.role)}</p>
                {check.data.role !== 'authenticated' && <p className="text-text-2">{c.anon}</p>}
              </Notice>
              <CodeBlock label={c.claims} code={JSON.stringify(check.data.claims, null, 2)} />
            </>
          )}
        </div>
      </form>
    </Section>
  )
}
