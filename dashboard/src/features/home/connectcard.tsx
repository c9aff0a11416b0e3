import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { ErrorNote } from '@/components/error'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Skeleton } from '@/components/state'
import { home as t } from '@/strings/home'
import { connectQuery } from './connect'
import { snippets } from './snippet'

/** How an app reaches the project; the code is open until there are users. */
export function ConnectCard({ projectRef, hasUsers }: { projectRef: string; hasUsers?: boolean }) {
  const connect = useQuery(connectQuery(projectRef))
  const c = t.connect
  if (connect.error) return <ErrorNote error={connect.error} />
  const wait = <Skeleton className="h-5 w-64 max-w-full" />
  return (
    <Section title={c.title} id="connect">
      <Card className="px-4 py-1">
        <KeyValues>
          <KeyValue label={c.url}>{connect.data ? <Copyable text={connect.data.url} /> : wait}</KeyValue>
          <KeyValue label={c.key}>
            {!connect.data ? (
              wait
            ) : connect.data.key ? (
              <Copyable text={connect.data.key} />
            ) : connect.data.refused ? (
              <span className="text-text-3">{c.hiddenKey}</span>
            ) : (
              <Link to="/p/$ref/keys" params={{ ref: projectRef }} className="text-accent hover:underline">
                {c.noKey}
              </Link>
            )}
          </KeyValue>
          <KeyValue label={c.ref}>
            <Copyable text={projectRef} />
          </KeyValue>
        </KeyValues>
        {hasUsers !== undefined && (
          <details className="group border-t border-line py-2" open={!hasUsers}>
            <summary className="cursor-pointer py-0.5 text-text-2 hover:text-text">{c.snippet}</summary>
            <div className="space-y-2 pt-2 pb-1">
              {!hasUsers && <p className="text-text-2">{c.text}</p>}
              {connect.data ? <CodeBlock code={snippets(connect.data)} /> : <Skeleton className="h-48 w-full" />}
            </div>
          </details>
        )}
      </Card>
    </Section>
  )
}
