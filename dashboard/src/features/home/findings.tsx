import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Badge, Skeleton } from '@/components/state'
import { home as t } from '@/strings/home'
import { advisorsQuery } from './advisors'
import { linkOf } from './attention'

const tones = { ERROR: 'danger', WARN: 'warn', INFO: 'neutral' } as const
const few = 5

/** What the advisors find, with what to do and where. */
export function Findings({ projectRef }: { projectRef: string }) {
  const advisors = useQuery(advisorsQuery(projectRef))
  const [all, showAll] = useState(false)
  const f = t.findings
  const lints = advisors.data ?? []
  return (
    <Section title={f.title} id="advice">
      {advisors.error && !advisors.data && <ErrorNote error={advisors.error} />}
      {advisors.isPending && Array.from({ length: 3 }, (_, i) => <Skeleton key={i} className="mb-3 h-8 w-full" />)}
      {advisors.data?.length === 0 && <p className="text-text-2">{f.empty}</p>}
      <ul className="divide-y divide-line">
        {lints.slice(0, all ? lints.length : few).map((lint) => (
          <li key={lint.cache_key} className="py-2">
            <details>
              <summary className="flex cursor-pointer items-baseline gap-2">
                <span className="min-w-0 flex-1 break-words">{lint.title}</span>
                <Badge tone={tones[lint.level]}>{f.levels[lint.level]}</Badge>
              </summary>
              <div className="space-y-1 pt-1 text-sm text-text-2">
                <p className="break-words">{lint.detail}</p>
                <p className="break-words">{lint.remediation}</p>
                {lint.fix && <CodeBlock code={lint.fix} label={f.fix} />}
                <Link to={linkOf(lint) === 'auth' ? '/p/$ref/auth' : '/p/$ref/database'} params={{ ref: projectRef }} className="text-accent hover:underline">
                  {linkOf(lint) === 'auth' ? f.settings : f.database}
                </Link>
              </div>
            </details>
          </li>
        ))}
      </ul>
      {!all && lints.length > few && (
        <Button size="small" className="mt-2" onClick={() => showAll(true)}>
          {f.more(lints.length - few)}
        </Button>
      )}
    </Section>
  )
}
