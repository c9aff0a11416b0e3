import { useQuery } from '@tanstack/react-query'
import { Plus, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ConfirmDialog } from '@/components/dialog'
import { ErrorState } from '@/components/error'
import { Card } from '@/components/page'
import { EmptyState, Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import { common } from '@/strings/common'
import { issuers as t } from '@/strings/issuers'
import { PageHead } from '../page'
import { useSettings } from '../settings'
import { CheckToken } from './checksection'
import { IssuerRow } from './issuerrow'
import { issuersQuery, useDistrust, type Issuer } from './issuers'
import { nameOf, type Preset } from './presets'
import { TrustDialog } from './trustdialog'

const most = 10

const policy = `create policy "Users of the other service read their own" on public.notes
  for select to authenticated
  using (
    (select auth.jwt()) ->> 'iss' = 'https://example.clerk.accounts.dev'
    and (select auth.jwt()) ->> 'sub' = owner_id
  );
`

type Props = { adding?: Preset; onAdding: (preset?: Preset) => void; mayCheck: boolean }

/** The issuers whose access tokens the project trusts. */
export function IssuersPage({ adding, onAdding, mayCheck }: Props) {
  const { ref, readOnly } = useSettings()
  const list = useQuery(issuersQuery(ref))
  const [asked, ask] = useState<Issuer>()
  const distrust = useDistrust(ref)
  const found = list.data
  const full = (found?.length ?? 0) >= most
  const reason = readOnly ? common.notAllowed : full ? t.full : undefined
  const add = (
    <Button kind="primary" icon={Plus} disabled={reason !== undefined || !found} title={reason} onClick={() => onAdding('clerk')}>
      {t.add}
    </Button>
  )
  if (list.error && !found) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />
  return (
    <>
      <PageHead title={t.title} description={t.description} action={found?.length !== 0 && add} />
      <Card className="mb-10">
        {found === undefined ? (
          <div role="status" aria-label={common.loading} className="space-y-2 px-4 py-4">
            <Skeleton className="h-4 w-64" />
            <Skeleton className="h-4 w-96 max-w-full" />
          </div>
        ) : found.length === 0 ? (
          <EmptyState icon={ShieldCheck} title={t.empty.title} action={add}>
            <p>{t.empty.text}</p>
            <CodeBlock label={t.empty.snippet} code={policy} />
          </EmptyState>
        ) : (
          <ul aria-label={t.list} className="divide-y divide-line">
            {found.map((issuer) => (
              <IssuerRow key={issuer.id} issuer={issuer} onRemove={readOnly ? undefined : () => ask(issuer)} />
            ))}
          </ul>
        )}
      </Card>
      {mayCheck && found !== undefined && found.length > 0 && <CheckToken projectRef={ref} />}
      {adding && !readOnly && <TrustDialog projectRef={ref} preset={adding} onPreset={onAdding} onClose={() => onAdding(undefined)} />}
      {asked && (
        <ConfirmDialog
          open
          onOpenChange={() => ask(undefined)}
          title={t.removeTitle(nameOf(asked))}
          action={t.remove}
          typed={nameOf(asked)}
          onConfirm={() => distrust.mutateAsync(asked.id).then(() => toast(t.removed(nameOf(asked))))}
        >
          <p>{t.removeText}</p>
        </ConfirmDialog>
      )}
    </>
  )
}
