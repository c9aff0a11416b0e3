import { Link } from '@tanstack/react-router'
import { Download, FlaskConical, RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { Button, buttonClass } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { Badge, Notice } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import { download } from '@/lib/download'
import { formatNumber } from '@/lib/format'
import { common } from '@/strings/common'
import { sso as t } from '@/strings/sso'
import { ssoLinks as links } from '@/strings/ssolinks'
import { isMissing, MetadataFields, metadataOf, type Metadata } from './metadata'
import { Registration } from './registration'
import { useDryRun, useRefreshMetadata, useUpdateConnection, type Connection } from './sso'
import { ended, endsSoon, stateOf, tones } from './state'

type Props = { projectRef: string; connection: Connection; mayWrite: boolean }
const f = t.facts

/** What the connection is, how it stands, and a test of it. */
export function Overview({ projectRef: ref, connection: c, mayWrite }: Props) {
  const state = stateOf(c)
  const dry = useDryRun(ref, c.id)
  const domain = c.domains?.[0]
  return (
    <>
      <div className="mb-5">
        <Notice tone={tones[state]}>
          <p>{t.stateText[state]}</p>
          {c.saml && (c.saml.metadata_fault || c.saml.metadata_error) && <p className="text-sm break-words text-text-2">{c.saml.metadata_fault || c.saml.metadata_error}</p>}
        </Notice>
      </div>
      <Section title={t.test.title} description={t.test.text} action={
        <Button icon={FlaskConical} kind="primary" busy={dry.isPending || dry.isSuccess} disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} onClick={() => dry.mutate()}>
          {t.test.run}
        </Button>
      }>
        {dry.error && <ErrorNote error={dry.error} />}
      </Section>
      <Section
        title={f.title}
        action={
          mayWrite && (
            <Link to="/p/$ref/sso/links" params={{ ref }} search={{ make: c.id }} className={buttonClass()}>
              {links.send}
            </Link>
          )
        }
      >
        <Card className="px-4">
          <KeyValues>
            <KeyValue label={f.id}><Copyable text={c.id} /></KeyValue>
            <KeyValue label={f.users}>{formatNumber(c.users)}</KeyValue>
            <KeyValue label={f.sessions}>{formatNumber(c.sessions)}</KeyValue>
            <KeyValue label={f.lastSignIn}><Time at={c.last_sign_in_at} /></KeyValue>
            {c.saml && <SAMLFacts projectRef={ref} connection={c} saml={c.saml} mayWrite={mayWrite} />}
          </KeyValues>
        </Card>
      </Section>
      {c.oidc && <Registration projectRef={ref} connection={c} oidc={c.oidc} mayWrite={mayWrite} />}
      <Section title={t.use.title}>
        <CodeBlock label="JavaScript" code={`const { data } = await supabase.auth.signInWithSSO({ ${domain ? `domain: '${domain}'` : `providerId: '${c.id}'`} })\nif (data?.url) window.location.href = data.url`} />
      </Section>
    </>
  )
}

function SAMLFacts({ projectRef: ref, connection: c, saml, mayWrite }: Props & { saml: NonNullable<Connection['saml']> }) {
  const refresh = useRefreshMetadata(ref, c.id)
  const [replacing, replace] = useState(false)
  const now = Date.now()
  return (
    <>
      <KeyValue label={f.entity}><Copyable text={saml.entity_id} /></KeyValue>
      {saml.sign_in_url && <KeyValue label={f.signIn}><Copyable text={saml.sign_in_url} /></KeyValue>}
      <KeyValue label={f.logout}>{saml.logout_url ? <Copyable text={saml.logout_url} /> : <span className="text-text-3">{f.none}</span>}</KeyValue>
      <KeyValue label={f.metadata}>
        {saml.metadata_url && <Copyable text={saml.metadata_url} />}
        <p className="text-sm text-text-2">
          {saml.metadata_url ? f.fetched : f.uploaded} <Time at={saml.metadata_fetched_at} />
          {saml.metadata_checked_at && <> · {f.checked} <Time at={saml.metadata_checked_at} /></>}
        </p>
        <div className="mt-2 flex flex-wrap gap-2">
          {saml.metadata_url && (
            <Button size="small" icon={RefreshCw} busy={refresh.isPending} disabled={!mayWrite} onClick={() => refresh.mutate(undefined, { onSuccess: () => toast(t.refresh.done) })}>
              {t.refresh.action}
            </Button>
          )}
          <Button size="small" disabled={!mayWrite} title={mayWrite ? undefined : common.notAllowed} onClick={() => replace(true)}>
            {t.replace.action}
          </Button>
          {saml.metadata_xml && (
            <Button size="small" icon={Download} onClick={() => download('idp-metadata.xml', 'application/xml', [saml.metadata_xml ?? ''])}>
              {f.download}
            </Button>
          )}
        </div>
        {refresh.error && <div className="mt-2"><ErrorNote error={refresh.error} /></div>}
        <Replace projectRef={ref} id={c.id} open={replacing} onOpenChange={replace} />
      </KeyValue>
      {saml.metadata_valid_until && <KeyValue label={f.validUntil}><Time at={saml.metadata_valid_until} /></KeyValue>}
      <KeyValue label={f.certificates}>
        <ul className="space-y-2">
          {(saml.certificates ?? []).map((cert) => (
            <li key={cert.fingerprint}>
              <p className="flex flex-wrap items-center gap-x-2">
                <span className="min-w-0 break-words">{cert.subject}</span>
                <span className="text-text-2">{f.until} {new Date(cert.not_after).toLocaleDateString(undefined, { dateStyle: 'medium' })}</span>
                {ended(cert.not_after, now) ? <Badge tone="danger">{f.expired}</Badge> : endsSoon(cert.not_after, now) && <Badge tone="warn">{f.soon}</Badge>}
              </p>
              <Copyable text={cert.fingerprint} className="text-text-2" />
            </li>
          ))}
        </ul>
      </KeyValue>
    </>
  )
}

/** Metadata in place of what is stored. */
function Replace({ projectRef: ref, id, open, onOpenChange }: { projectRef: string; id: string; open: boolean; onOpenChange: (open: boolean) => void }) {
  const [value, setValue] = useState<Metadata>({ way: 'file' })
  const update = useUpdateConnection(ref, id)
  const submit = () =>
    update.mutate(metadataOf(value), {
      onSuccess: () => {
        setValue({ way: 'file' })
        toast(t.replace.done)
        onOpenChange(false)
      },
    })
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      wide
      title={t.replace.title}
      description={t.replace.text}
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>{common.cancel}</Button>
          <Button kind="primary" busy={update.isPending} disabled={isMissing(value)} onClick={submit}>
            {t.replace.submit}
          </Button>
        </>
      }
    >
      <div className="space-y-3 pb-2">
        <MetadataFields value={value} onChange={setValue} />
        {update.error && <ErrorNote error={update.error} />}
      </div>
    </Dialog>
  )
}
