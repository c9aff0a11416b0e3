import { useQuery } from '@tanstack/react-query'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { projectQuery } from '@/features/project/project'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Page, Section } from '@/components/page'
import { Notice, Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import { formatDuration, formatExact } from '@/lib/format'
import { common } from '@/strings/common'
import { signingKeys as t } from '@/strings/signingkeys'
import { KeyTabs } from '../keytabs'
import { Autopilot } from './autopilot'
import { CreateSigningKey } from './createdialog'
import { KeyCard } from './keycard'
import { columns, knownAt, spentAt, type Move } from './moves'
import { signingKeysQuery, tokenLifeQuery, useMoveSigningKey, type SigningKey } from './signingkeys'

/** The signing keys of a project: four states as four columns. */
export function SigningKeysPage({ projectRef }: { projectRef: string }) {
  const keys = useQuery(signingKeysQuery(projectRef))
  const life = useQuery(tokenLifeQuery(projectRef))
  const project = useQuery(projectQuery(projectRef))
  const permissions = useQuery(projectPermissionsQuery(projectRef))
  const mayWrite = may(permissions.data, 'signing_key:write')
  const [creating, setCreating] = useState(false)
  const [moving, setMoving] = useState<{ key: SigningKey; to: Move }>()
  const move = useMoveSigningKey(projectRef)
  if (keys.error) return <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />
  return (
    <Page
      title={t.title}
      description={t.description}
      wide
      action={
        <Button kind="primary" icon={Plus} disabled={!mayWrite} title={permissions.data && !mayWrite ? common.notAllowed : undefined} onClick={() => setCreating(true)}>
          {t.create}
        </Button>
      }
    >
      <KeyTabs projectRef={projectRef} />
      <div className="mb-10 grid grid-cols-1 gap-4 sm:grid-cols-2 xl:grid-cols-4">
        {columns.map((status) => {
          const here = keys.data?.filter((k) => k.status === status)
          return (
            <section key={status} aria-labelledby={`status-${status}`} className="space-y-2 rounded bg-sunken p-3">
              <h2 id={`status-${status}`} className="font-semibold">
                {t.columns[status].title}
              </h2>
              <p className="text-sm text-text-2 xl:min-h-10">{t.columns[status].text}</p>
              {here === undefined ? (
                <Skeleton className="h-36 w-full" />
              ) : here.length === 0 ? (
                <p className="py-2 text-sm text-text-3">{t.none}</p>
              ) : (
                <ul className="space-y-2">
                  {here.map((key) => (
                    <KeyCard key={key.id} of={key} tokenLife={life.data} readOnly={!mayWrite} onMove={(to) => setMoving({ key, to })} />
                  ))}
                </ul>
              )}
            </section>
          )
        })}
      </div>
        <Autopilot projectRef={projectRef} readOnly={!mayWrite} />
        <Section id="jwks" title={t.jwks} description={t.jwksHelp}>
          {project.data ? <Copyable text={`${project.data.url}/auth/v1/.well-known/jwks.json`} /> : <Skeleton className="h-5 w-80 max-w-full" />}
        </Section>
        <Section id="byhand" title={t.byHand.title} description={life.data !== undefined && t.byHand.life(formatDuration(life.data))}>
          <CodeBlock label={t.byHand.command} code={snippet(projectRef)} />
        </Section>
      {creating && <CreateSigningKey projectRef={projectRef} onClose={() => setCreating(false)} />}
      {moving && (
        <ConfirmDialog
          open
          onOpenChange={() => setMoving(undefined)}
          title={t.confirm[moving.to].title}
          action={t.confirm[moving.to].action}
          danger={moving.to === 'revoked' || moving.to === 'delete'}
          onConfirm={async () => {
            await move.mutateAsync({ id: moving.key.id, to: moving.to })
            toast(t.done[moving.to])
          }}
        >
          <p className="font-mono text-sm break-all">{moving.key.id}</p>
          <p>{t.confirm[moving.to].text}</p>
          <Early of={moving.key} to={moving.to} tokenLife={life.data} />
        </ConfirmDialog>
      )}
    </Page>
  )
}

/** Warns of a move that comes too early for those who verify tokens. */
function Early({ of: key, to, tokenLife }: { of: SigningKey; to: Move; tokenLife: number | undefined }) {
  const known = knownAt(key)
  const spent = spentAt(key, tokenLife ?? 0)
  if (to === 'in_use' && key.status === 'standby' && known > Date.now()) return <Notice tone="warn">{t.confirm.in_use.early(formatExact(new Date(known)))}</Notice>
  if (to === 'revoked' && key.status === 'previously_used' && spent > Date.now()) return <Notice tone="warn">{t.confirm.revoked.early(formatExact(new Date(spent)))}</Notice>
  return null
}

const snippet = (ref: string) => `KEYS=${window.location.origin}/v1/projects/${ref}/config/auth/signing-keys
curl -s $KEYS -H "Authorization: Bearer $REEVE_ACCESS_TOKEN" \\
  -H 'Content-Type: application/json' -d '{"algorithm":"ES256"}'
curl -s -X PATCH $KEYS/<id> -H "Authorization: Bearer $REEVE_ACCESS_TOKEN" \\
  -H 'Content-Type: application/json' -d '{"status":"in_use"}'
curl -s $KEYS/rotation -H "Authorization: Bearer $REEVE_ACCESS_TOKEN"`
