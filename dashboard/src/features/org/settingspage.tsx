import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { ConfirmDialog } from '@/components/dialog'
import { DiffBar } from '@/components/diff'
import { ErrorState } from '@/components/error'
import { FormRow } from '@/components/form'
import { Input } from '@/components/input'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Badge, Skeleton } from '@/components/state'
import { toast } from '@/components/toast'
import { orgSettings as t } from '@/strings/orgsettings'
import { orgQuery, useDeleteOrg, useRename } from './org'

type Props = { slug: string; mayUpdate: boolean; mayDelete: boolean; onDeleted: () => void }

/** The name of an organization, and its end. */
export function OrgSettings({ slug, mayUpdate, mayDelete, onDeleted }: Props) {
  const org = useQuery(orgQuery(slug))
  const [typed, setTyped] = useState<string>()
  const [deleting, setDeleting] = useState(false)
  const rename = useRename(slug)
  const remove = useDeleteOrg(slug)
  if (org.error) return <ErrorState error={org.error} onRetry={() => void org.refetch()} />
  if (!org.data) return <Skeleton className="h-48 w-full" />
  const name = typed ?? org.data.name
  const missing = name.trim() === ''
  const changes = name.trim() === org.data.name ? [] : [{ name: 'name', label: t.name, before: org.data.name, after: name.trim() }]
  const save = async () => {
    if (missing) return
    await rename.mutateAsync(name.trim())
    setTyped(undefined)
    toast(t.saved)
  }
  return (
    <>
      <Card className="mb-8 divide-y divide-line px-5">
        <FormRow label={t.name} help={t.nameHelp} error={missing ? t.nameMissing : undefined}>
          {(f) => <Input {...f} value={name} maxLength={256} disabled={!mayUpdate} onChange={(e) => setTyped(e.target.value)} />}
        </FormRow>
        <KeyValues>
          <KeyValue label={t.slug}>
            <Copyable text={org.data.id} />
          </KeyValue>
          <KeyValue label={t.plan}>
            <Badge>{org.data.plan}</Badge>
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
      <DiffBar changes={changes} saving={rename.isPending} error={rename.error} onSave={() => void save().catch(() => {})} onDiscard={() => setTyped(undefined)} />
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
