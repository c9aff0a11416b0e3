import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { FormRow } from '@/components/form'
import { Input } from '@/components/input'
import { Segments } from '@/components/segments'
import { Notice } from '@/components/state'
import { Steps } from '@/components/steps'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { common } from '@/strings/common'
import { customProviders as t } from '@/strings/customproviders'
import { PageHead } from '../page'
import { useSettings } from '../settings'
import { useCreateProvider } from './customproviders'
import { attributesOf, identifierOf, unset, wrong, type Fields, type Kind, type Name } from './fields'
import { Rows } from './form'
import { DefinitionSteps } from './steps'

type Draft = Partial<Fields> & { kind?: Kind; identifier?: string }

/** Defines a provider. It is created switched off: the next steps test it and turn it on. */
export function NewProviderPage() {
  const { ref, readOnly, value } = useSettings()
  const [draft, setDraft] = useDraft<Draft>(`custom-provider ${ref}`, {})
  const [tried, setTried] = useState(false)
  const create = useCreateProvider(ref)
  const navigate = useNavigate()
  const { kind = 'oidc', identifier: typed, ...entered } = draft
  const fields: Fields = { ...unset, ...entered }
  const identifier = typed ?? identifierOf(fields.name)
  const errors = wrong(kind, fields, true)
  const identifierWrong = !/^[a-z0-9:-]*[a-z0-9]$/.test(identifier)
  const off = value('custom_oauth_enabled') === false
  const form = { fields, set: (change: Partial<Fields>) => setDraft({ ...draft, ...change }), errors: tried ? errors : {}, readOnly: readOnly || off, stored: false }
  const submit = () => {
    setTried(true)
    if (Object.keys(errors).length > 0 || identifierWrong) return
    create.mutate(
      { provider_type: kind, identifier: `custom:${identifier}`, ...attributesOf(fields, [...(Object.keys(unset) as Name[]), 'client_secret']) },
      {
        onSuccess: (made) => {
          setDraft({})
          toast(t.created(made.name))
          void navigate({ to: '/p/$ref/auth/providers/$provider', params: { ref, provider: made.identifier } })
        },
      },
    )
  }
  return (
    <>
      <PageHead above="providers" title={t.newTitle} description={t.newText} />
      {off && (
        <div className="mb-4">
          <Notice tone="warn">{t.off}</Notice>
        </div>
      )}
      <div className="pl-3.5">
        <Steps>
          <DefinitionSteps
            projectRef={ref}
            kind={kind}
            form={form}
            first={
              <>
                <FormRow label={t.kind} help={t.kindHelp}>
                  {() => <Segments label={t.kind} value={kind} onChange={(next) => setDraft({ ...draft, kind: next })} options={(['oidc', 'oauth2'] as const).map((k) => ({ value: k, label: t.kinds[k] }))} />}
                </FormRow>
                <Rows form={form} names={['name']} />
                <FormRow label={t.identifier} help={t.identifierHelp} error={tried && identifierWrong && t.identifierWrong}>
                  {(field) => (
                    <span className="flex min-w-0 flex-1 items-center gap-1.5">
                      <span className="font-mono text-sm text-text-2">custom:</span>
                      <Input {...field} className="font-mono" spellCheck={false} autoComplete="off" maxLength={43} disabled={form.readOnly} value={identifier} onChange={(e) => setDraft({ ...draft, identifier: e.target.value })} />
                    </span>
                  )}
                </FormRow>
              </>
            }
            last={
              <div className="space-y-3 pt-2">
                {create.error && <ErrorNote error={create.error} />}
                {tried && (Object.keys(errors).length > 0 || identifierWrong) && (
                  <p role="alert" className="text-danger">
                    {t.incomplete}
                  </p>
                )}
                <Button kind="primary" busy={create.isPending} disabled={form.readOnly} title={readOnly ? common.notAllowed : undefined} onClick={submit}>
                  {t.create}
                </Button>
              </div>
            }
          />
        </Steps>
      </div>
    </>
  )
}
