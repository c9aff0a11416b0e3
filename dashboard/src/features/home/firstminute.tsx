import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { buttonClass } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable, SecretField } from '@/components/copy'
import { ErrorState } from '@/components/error'
import { KeyValue, KeyValues, Page, Section } from '@/components/page'
import { Skeleton } from '@/components/state'
import { firstMinute as t } from '@/strings/firstminute'
import { createdQuery, type Created } from '@/features/project/create'
import { projectQuery } from '@/features/project/project'
import { connectQuery } from './connect'
import { snippets, type Connection } from './snippet'
import { TryIt } from './tryit'

/** What a new project's app needs, and a first user, on one page. */
export function FirstMinute({ projectRef: ref }: { projectRef: string }) {
  const { data: created } = useQuery(createdQuery(ref))
  const project = useQuery(projectQuery(ref))
  const connect = useQuery(connectQuery(ref))
  const name = created?.name ?? project.data?.name ?? ''
  const connection: Connection | undefined = created ? { ref, url: created.url, key: created.publishable_key } : connect.data
  if (project.error) return <ErrorState error={project.error} onRetry={() => void project.refetch()} />
  return (
    <Page
      title={created ? t.title(name) : t.again(name)}
      description={t.description}
      action={
        <Link to="/p/$ref" params={{ ref }} className={buttonClass()}>
          {t.home}
        </Link>
      }
    >
      <Section title={t.values.title}>{connection ? <Values of={connection} created={created ?? undefined} /> : <Skeleton className="h-40 w-full" />}</Section>
      <Section title={t.snippet.title} description={t.snippet.text}>
        {connection ? <CodeBlock code={snippets(connection)} label={t.snippet.title} /> : <Skeleton className="h-64 w-full" />}
      </Section>
      <Section id="try" title={t.tryIt.title} description={t.tryIt.text}>
        {connection && <TryIt connection={connection} />}
      </Section>
    </Page>
  )
}

function Values({ of, created }: { of: Connection; created?: Created }) {
  const v = t.values
  return (
    <>
      <KeyValues>
        <KeyValue label={v.url}>
          <Copyable text={of.url} />
        </KeyValue>
        <KeyValue label={v.publishable}>
          {of.key ? <Copyable text={of.key} /> : v.none}
          <p className="text-sm text-text-2">{v.publishableHelp}</p>
        </KeyValue>
        {created?.secret_key && (
          <KeyValue label={v.secret}>
            <SecretField label={v.secret} value={created.secret_key} />
            <p className="text-sm text-warn">{v.secretHelp}</p>
          </KeyValue>
        )}
        {created?.db_url && (
          <KeyValue label={v.database}>
            <SecretField label={v.database} value={created.db_url} hint={created.db_url.replace(/:[^:@/]+@/, ':••••••••@')} />
            <p className="text-sm text-warn">{v.databaseHelp}</p>
          </KeyValue>
        )}
      </KeyValues>
      {!created?.secret_key && (
        <p className="mt-2 text-sm text-text-2">
          {v.gone}{' '}
          <Link to="/p/$ref/keys" params={{ ref: of.ref }} className="text-accent underline">
            {v.keys}
          </Link>
        </p>
      )}
    </>
  )
}
