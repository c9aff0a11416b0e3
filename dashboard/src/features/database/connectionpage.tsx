import { useQuery } from '@tanstack/react-query'
import { KeyRound, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { ConfirmDialog, Dialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Card, KeyValue, KeyValues, Page, Section } from '@/components/page'
import { Notice, Skeleton } from '@/components/state'
import { database } from '@/strings/database'
import { connectionQuery, useSetPassword } from './connection'
import { DatabaseTabs } from './databasetabs'

const t = database.connection

/** How to connect to a project's database. */
export function ConnectionPage({ projectRef }: { projectRef: string }) {
  const connection = useQuery(connectionQuery(projectRef))
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const set = useSetPassword(projectRef)
  const [asking, setAsking] = useState(false)
  const [made, setMade] = useState<string>()
  if (connection.error && !connection.data) return <ErrorState error={connection.error} onRetry={() => void connection.refetch()} />
  const c = connection.data
  const allowed = may(permissions.data, 'database_password:write')
  const url = (password: string) => (c ? c.connection_string.replace('[YOUR-PASSWORD]', password) : '')
  return (
    <Page
      title={t.title}
      description={t.description}
      action={
        <Button icon={KeyRound} disabled={!allowed} title={permissions.data && !allowed ? t.notAllowed : undefined} onClick={() => setAsking(true)}>
          {t.reset}
        </Button>
      }
    >
      <DatabaseTabs projectRef={projectRef} />
      {!c ? (
        <Skeleton className="h-64 w-full" />
      ) : (
        <>
          <Section id="url" title={t.url} description={t.unknown}>
            <CodeBlock
              label={t.with}
              code={[
                { label: t.url, code: c.connection_string },
                { label: 'psql', code: `psql "${c.connection_string}"` },
                { label: '.env', code: `DATABASE_URL="${c.connection_string}"` },
                { label: 'supabase', code: `supabase db push --db-url "${c.connection_string}"` },
              ]}
            />
          </Section>
          <Card className="px-4">
            <KeyValues>
              {(
                [
                  [t.host, c.db_host],
                  [t.port, String(c.db_port)],
                  [t.database, c.db_name],
                  [t.user, c.db_user],
                ] as const
              ).map(([label, value]) => (
                <KeyValue key={label} label={label}>
                  <Copyable text={value} />
                </KeyValue>
              ))}
            </KeyValues>
          </Card>
        </>
      )}
      <ConfirmDialog open={asking} onOpenChange={setAsking} title={t.resetTitle} action={t.resetAction} onConfirm={async () => setMade(await set.mutateAsync())}>
        <p>{t.resetText}</p>
      </ConfirmDialog>
      {made && (
        <Dialog
          open
          wide
          onOpenChange={() => undefined}
          title={t.madeTitle}
          footer={
            <Button kind="primary" onClick={() => setMade(undefined)}>
              {t.done}
            </Button>
          }
        >
          <div className="space-y-4 pb-3">
            <Notice tone="warn" icon={TriangleAlert}>
              {t.madeText}
            </Notice>
            <CodeBlock label={t.url} code={[{ label: t.url, code: url(made) }, { label: t.password, code: made }, { label: '.env', code: `DATABASE_URL="${url(made)}"` }]} />
          </div>
        </Dialog>
      )}
    </Page>
  )
}
