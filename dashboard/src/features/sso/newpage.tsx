import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { Button } from '@/components/button'
import { ChoiceList } from '@/components/choicelist'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Card, Page } from '@/components/page'
import { Skeleton } from '@/components/state'
import { Step, Steps } from '@/components/steps'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { common } from '@/strings/common'
import { sso } from '@/strings/sso'
import { ssoLinks as links } from '@/strings/ssolinks'
import { Enable } from './enable'
import { isMissing, MetadataFields, metadataOf, type Metadata } from './metadata'
import { missingOf, RegistrationFields, registrationOf } from './newoidc'
import { OIDCValues, type Registered } from './registration'
import { overviewQuery, useCreateConnection } from './sso'
import { Values } from './values'

const t = sso.create

type Draft = Metadata & { protocol?: Protocol; id?: string; oidc?: Registered; name?: string; domains?: string[] }
type Protocol = 'saml' | 'oidc'

/** A new connection, in the order in which its two sides are set up. */
export function NewConnectionPage({ projectRef: ref, mayWrite }: { projectRef: string; mayWrite: boolean }) {
  const [draft, setDraft] = useDraft<Draft>(`sso ${ref}`, {})
  const [tried, setTried] = useState(false)
  const create = useCreateConnection(ref)
  const navigate = useNavigate()
  const { data: overview } = useQuery(overviewQuery(ref))
  const { protocol = 'saml', oidc = {} } = draft
  // The addresses of an OpenID connection have its id, so it is chosen before.
  const [id] = useState(() => draft.id ?? crypto.randomUUID())
  const missing = protocol === 'saml' ? isMissing(draft) : missingOf(oidc).length > 0
  const at = overview?.service_provider.oidc_url
  const submit = () => {
    setTried(true)
    if (missing) return
    create.mutate(
      { type: protocol, name: draft.name?.trim() ?? '', domains: draft.domains ?? [], ...(protocol === 'saml' ? metadataOf(draft) : { id, oidc: registrationOf(oidc) }) },
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
      <p className="mb-5 text-text-2">
        {links.sendText}{' '}
        <Link to="/p/$ref/sso/links" params={{ ref }} search={{ make: 'new' }} className="text-accent underline">
          {links.send}
        </Link>
      </p>
      <div className="pl-3.5">
        <Steps>
          <Step title={t.steps.protocol}>
            <ChoiceList
              name="protocol"
              label={t.protocol}
              value={protocol}
              onChange={(protocol) => setDraft({ ...draft, protocol })}
              options={(['saml', 'oidc'] as const).map((value) => ({ value, label: t.protocols[value]?.[0], text: t.protocols[value]?.[1] }))}
            />
          </Step>
          <Step title={t.steps.us}>
            {protocol === 'saml' ? (
              <Values projectRef={ref} />
            ) : (
              <Card className="px-4">
                <p className="pt-3 text-text-2">{sso.oidc.text}</p>
                {at ? <OIDCValues oidc={{ redirect_uri: `${at}/callback/${id}`, backchannel_logout_uri: `${at}/backchannel-logout/${id}`, post_logout_redirect_uri: `${at}/logged-out` }} /> : <Skeleton className="my-3 h-20 w-full" />}
              </Card>
            )}
          </Step>
          <Step title={protocol === 'saml' ? t.steps.them : t.steps.register}>
            <Card className="p-4">
              {protocol === 'saml' ? (
                <MetadataFields value={draft} onChange={(next) => setDraft({ ...draft, ...next })} error={tried && missing ? t.missing : undefined} />
              ) : (
                <RegistrationFields tried={tried} value={oidc} onChange={(oidc) => setDraft({ ...draft, id, oidc })} />
              )}
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
