import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { CircleCheck, RotateCw } from 'lucide-react'
import { useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Card, Page } from '@/components/page'
import { Segments } from '@/components/segments'
import { Badge, EmptyState, Notice, Skeleton, type Tone } from '@/components/state'
import { toast } from '@/components/toast'
import { database } from '@/strings/database'
import { lintsQuery, useApplyFix, type Kind, type Lint } from './advisors'
import { DatabaseTabs } from './databasetabs'

const t = database.advisors
const tones: Record<Lint['level'], Tone> = { ERROR: 'danger', WARN: 'warn', INFO: 'info' }

/** What looks wrong, why it matters, and what mends it. */
export function AdvisorsPage({ projectRef, kind, onKind }: { projectRef: string; kind: Kind; onKind: (kind: Kind) => void }) {
  const lints = useQuery(lintsQuery(projectRef, kind))
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const apply = useApplyFix(projectRef, kind)
  const [fixing, setFixing] = useState<{ lint: Lint; fix: string }>()
  const mayFix = may(permissions.data, 'database:write')
  return (
    <Page
      title={t.title}
      description={t.description}
      action={
        <Button icon={RotateCw} busy={lints.isFetching} onClick={() => void lints.refetch()}>
          {t.again}
        </Button>
      }
    >
      <DatabaseTabs projectRef={projectRef} />
      <div className="mb-4">
        <Segments label={t.kind} value={kind} onChange={onKind} options={[{ value: 'security', label: t.kinds.security }, { value: 'performance', label: t.kinds.performance }]} />
      </div>
      {lints.error && !lints.data ? (
        <ErrorState error={lints.error} onRetry={() => void lints.refetch()} />
      ) : !lints.data ? (
        <div className="space-y-3">
          {[0, 1, 2].map((i) => (
            <Skeleton key={i} className="h-28 w-full" />
          ))}
        </div>
      ) : lints.data.length === 0 ? (
        <Card>
          <EmptyState icon={CircleCheck} title={t.none.title}>
            {t.none.text}
          </EmptyState>
        </Card>
      ) : (
        <ul className="space-y-3">
          {lints.data.map((lint) => (
            <li key={lint.cache_key} className="space-y-2 rounded border border-line bg-surface p-4">
              <h2 className="flex flex-wrap items-center gap-2 font-semibold">
                <Badge tone={tones[lint.level]}>{t.levels[lint.level]}</Badge>
                {lint.title}
              </h2>
              <p className="break-words">{lint.detail}</p>
              <p className="max-w-prose text-text-2">
                {lint.description} {lint.remediation}
              </p>
              {lint.fix && <CodeBlock label={t.fix} code={lint.fix} />}
              <div className="flex flex-wrap gap-2 empty:hidden">
                {lint.fix && mayFix && (
                  <Button onClick={() => lint.fix && setFixing({ lint, fix: lint.fix })}>{t.apply}</Button>
                )}
                {lint.metadata.type === 'auth' && (
                  <Link to="/p/$ref/auth" params={{ ref: projectRef }} className="text-accent hover:underline">
                    {t.settings}
                  </Link>
                )}
                {!lint.fix && lint.metadata.type !== 'auth' && (
                  <Link to="/p/$ref/database" params={{ ref: projectRef }} className="text-accent hover:underline">
                    {t.sql}
                  </Link>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      {fixing && (
        <ConfirmDialog
          open
          danger={false}
          onOpenChange={() => setFixing(undefined)}
          title={t.confirm.title}
          action={t.apply}
          onConfirm={async () => toast((await apply.mutateAsync(fixing)) ? t.fixed : t.remains)}
        >
          <p>{t.confirm.text}</p>
          <CodeBlock label={t.fix} code={fixing.fix} />
          {/enable row level security/i.test(fixing.fix) && <Notice tone="warn">{t.confirm.rls}</Notice>}
          {/create (unique )?index/i.test(fixing.fix) && <Notice tone="warn">{t.confirm.index}</Notice>}
        </ConfirmDialog>
      )}
    </Page>
  )
}
