import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Card, Page } from '@/components/page'
import { Step, Steps } from '@/components/steps'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { Enable } from './enable'
import { isMissing, MetadataFields, metadataOf, type Metadata } from './metadata'
import { useCreateConnection } from './sso'
import { Values } from './values'

const t = sso.create

type Draft = Metadata & { name?: string; domains?: string[] }

/** A new connection, in the order in which its two sides are set up. */
export function NewConnectionPage({ projectRef: ref, mayWrite }: { projectRef: string; mayWrite: boolean }) {
  const [draft, setDraft] = useDraft<Draft>(`sso ${ref}`, {})
  const [tried, setTried] = useState(false)
  const create = useCreateConnection(ref)
  const navigate = useNavigate()
  const missing = isMissing(draft)
  const submit = () => {
    setTried(true)
    if (missing) return
    create.mutate(
      { type: 'saml', name: draft.name?.trim() ?? '', domains: draft.domains ?? [], ...metadataOf(draft) },
      {
        onSuccess: (made) => {
          setDraft({})
          toast(t.created(made.label))
          void navigate({ to: '/p/$ref/sso/$id', params: { ref, id: made.id } })
        },
      },
    )
  }
  return (
    <Page title={t.title} crumbs={[<Link key="sso" to="/p/$ref/sso" params={{ ref }}>{sso.title}</Link>]}>
      <Enable projectRef={ref} mayWrite={mayWrite} />
      <div className="pl-3.5">
        <Steps>
          <Step title={t.steps.us}>
            <Values projectRef={ref} />
          </Step>
          <Step title={t.steps.them}>
            <Card className="p-4">
              <MetadataFields value={draft} onChange={(next) => setDraft({ ...draft, ...next })} error={tried && missing ? t.missing : undefined} />
            </Card>
          </Step>
          <Step title={t.steps.people}>
            <Card className="space-y-4 p-4">
              <Field label={t.name} help={t.nameHelp}>
                {(field) => <Input {...field} maxLength={200} autoComplete="off" dir="auto" value={draft.name ?? ''} onChange={(e) => setDraft({ ...draft, name: e.target.value })} />}
              </Field>
              <Field label={t.domains} help={t.domainsHelp}>
                {(field) => <ListInput {...field} placeholder="acme.example" value={draft.domains ?? []} onChange={(domains) => setDraft({ ...draft, domains })} />}
              </Field>
            </Card>
            {create.error && <ErrorNote error={create.error} />}
            <Button kind="primary" busy={create.isPending} disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} onClick={submit}>
              {t.submit}
            </Button>
          </Step>
        </Steps>
      </div>
    </Page>
  )
}
