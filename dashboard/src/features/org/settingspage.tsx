import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { DiffBar } from '@/components/diff'
import { ErrorState } from '@/components/error'
import { FormRow } from '@/components/form'
import { Input, Switch } from '@/components/input'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import { orgSettings as t } from '@/strings/orgsettings'
import { orgQuery, useDeleteOrg, useChangeOrg } from './org'

type Props = { slug: string; mayUpdate: boolean; mayDelete: boolean; onDeleted: () => void }

/** The name of an organization, and its end. */
export function OrgSettings({ slug, mayUpdate, mayDelete, onDeleted }: Props) {
  const org = useQuery(orgQuery(slug))
  const [typed, setTyped] = useState<string>()
  const [required, setRequired] = useState<boolean>()
  const [deleting, setDeleting] = useState(false)
  const change = useChangeOrg(slug)
  const remove = useDeleteOrg(slug)
  if (org.error) return <ErrorState error={org.error} onRetry={() => void org.refetch()} />
  if (!org.data) return <Skeleton className="h-48 w-full" />
  const name = typed ?? org.data.name
  const missing = name.trim() === ''
  const mfa = required ?? org.data.mfa_required
  const renamed = name.trim() !== org.data.name
  const switched = mfa !== org.data.mfa_required
  const changes = [
    ...(renamed ? [{ name: 'name', label: t.name, before: org.data.name, after: name.trim() }] : []),
    ...(switched ? [{ name: 'mfa_required', label: t.mfa, before: t.mfaIs(org.data.mfa_required), after: t.mfaIs(mfa) }] : []),
  ]
  const discard = () => {
    setTyped(undefined)
    setRequired(undefined)
  }
  const save = async () => {
    if (missing) return
    await change.mutateAsync({ ...(renamed && { name: name.trim() }), ...(switched && { mfa_required: mfa }) })
    discard()
    toast(t.saved)
  }
  return (
    <>
      <Card className="mb-8 divide-y divide-line px-5">
        <FormRow label={t.name} help={t.nameHelp} error={missing ? t.nameMissing : undefined}>
          {(f) => <Input {...f} value={name} maxLength={256} disabled={!mayUpdate} onChange={(e) => setTyped(e.target.value)} />}
        </FormRow>
        <FormRow label={t.mfa} help={t.mfaHelp}>
          {(f) => <Switch {...f} checked={mfa} disabled={!mayUpdate} onCheckedChange={setRequired} />}
        </FormRow>
        <KeyValues>
          <KeyValue label={t.slug}>
            <Copyable text={org.data.id} />
          </KeyValue>
        </KeyValues>
      </Card>
      {mayDelete && (
        <Section title={t.danger} description={t.dangerText}>
          <Button kind="danger" onClick={() => setDeleting(true)}>
            {t.delete}
          </Button>
        </Section>
      )}
      <DiffBar changes={changes} saving={change.isPending} error={change.error} onSave={() => void save().catch(() => {})} onDiscard={discard} />
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={t.deleteTitle(org.data.name)}
        action={t.delete}
        typed={org.data.name}
        onConfirm={async () => {
          await remove.mutateAsync()
          toast(t.deleted(org.data.name))
          onDeleted()
        }}
      >
        <p>{t.dangerText}</p>
      </ConfirmDialog>
    </>
  )
}
