import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { ConfirmDialog } from '@/components/dialog'
import { DiffBar } from '@/components/diff'
import { ErrorState } from '@/components/error'
import { Card } from '@/components/page'
import { EmptyState, Notice } from '@/components/state'
import { Step, Steps } from '@/components/steps'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { common } from '@/strings/common'
import { customProviders as t } from '@/strings/customproviders'
import { providers } from '@/strings/providers'
import { PageHead } from '../page'
import { ProviderLogo } from '@/components/providerlogo'
import { ProviderTest } from '../providers/test'
import { SettingsSkeleton, useSettings } from '../settings'
import { customProvidersQuery, useDeleteProvider, useUpdateProvider, type CustomProvider } from './customproviders'
import { attributesOf, changed, fieldsOf, wrong, type Fields } from './fields'
import { Rows } from './form'
import { DefinitionSteps } from './steps'

/** A provider that the project defines itself, step by step as the known ones are. */
export function CustomProviderPage({ id }: { id: string }) {
  const { ref } = useSettings()
  const list = useQuery(customProvidersQuery(ref))
  if (list.error) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />
  if (!list.data) return <SettingsSkeleton />
  const provider = list.data.find((p) => p.identifier === id)
  return provider ? <Found key={provider.id} provider={provider} /> : <EmptyState title={providers.unknown} />
}

function Found({ provider: p }: { provider: CustomProvider }) {
  const { ref, readOnly, value } = useSettings()
  const saved = fieldsOf(p)
  const [edits, setEdits] = useDraft<Partial<Fields>>(`custom-provider ${ref} ${p.identifier}`, {})
  const update = useUpdateProvider(ref, p.identifier)
  const fields: Fields = { ...saved, ...edits }
  const names = changed(saved, fields)
  const form = { fields, set: (change: Partial<Fields>) => setEdits({ ...edits, ...change }), errors: names.length > 0 ? wrong(p.provider_type, fields, false) : {}, readOnly, stored: true }
  return (
    <>
      <PageHead above="providers" title={p.name} description={`${t.kinds[p.provider_type]} · ${p.identifier}`} icon={<ProviderLogo id={p.identifier} name={p.name} />} action={<Remove provider={p} onRemoved={() => setEdits({})} />} />
      {value('custom_oauth_enabled') === false && (
        <div className="mb-4">
          <Notice tone="warn">{t.off}</Notice>
        </div>
      )}
      <div className="pl-3.5">
        <Steps>
          <DefinitionSteps projectRef={ref} kind={p.provider_type} form={form} first={<Rows form={form} names={['name']} />} />
          <Step title={providers.steps.test}>
            {names.length > 0 && <p className="text-warn">{t.testsSaved}</p>}
            <ProviderTest projectRef={ref} id={p.identifier} config={{}} />
          </Step>
          <Step title={providers.steps.turnOn}>
            <Card className="px-4">
              <Rows form={form} names={['enabled']} />
            </Card>
            <CodeBlock code={`await supabase.auth.signInWithOAuth({ provider: '${p.identifier}' })`} label="JavaScript" />
          </Step>
        </Steps>
      </div>
      <DiffBar
        changes={names.map((name) => ({ name, label: t.labels[name], before: name === 'client_secret' ? '•' : shown(saved[name]), after: shown(fields[name]), secret: name === 'client_secret' }))}
        saving={update.isPending}
        error={update.error}
        blocked={Object.keys(form.errors).length > 0}
        onSave={() => update.mutate(attributesOf(fields, names), { onSuccess: () => (setEdits({}), toast(t.saved(fields.name))) })}
        onDiscard={() => {
          update.reset()
          setEdits({})
        }}
      />
    </>
  )
}

const shown = (value: unknown) => (typeof value === 'boolean' ? (value ? providers.on : providers.off) : Array.isArray(value) ? value.join(', ') : value)

function Remove({ provider: p, onRemoved }: { provider: CustomProvider; onRemoved: () => void }) {
  const { ref, readOnly } = useSettings()
  const [asking, ask] = useState(false)
  const remove = useDeleteProvider(ref, p.identifier)
  const navigate = useNavigate()
  return (
    <>
      <Button disabled={readOnly} title={readOnly ? common.notAllowed : undefined} onClick={() => ask(true)}>
        {t.remove}
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={ask}
        title={t.removeTitle(p.name)}
        action={t.remove}
        typed={p.identifier}
        onConfirm={async () => {
          await remove.mutateAsync(undefined)
          onRemoved()
          toast(t.removed(p.name))
          void navigate({ to: '/p/$ref/auth/$page', params: { ref, page: 'providers' } })
        }}
      >
        <p>{t.removeText}</p>
      </ConfirmDialog>
    </>
  )
}
