import { Copyable } from '@/components/copy'
import { DiffBar } from '@/components/diff'
import { FormRow } from '@/components/form'
import { Input } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Card, KeyValue, KeyValues, Section } from '@/components/page'
import { SecretInput } from '@/components/secretinput'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { sso } from '@/strings/sso'
import { useUpdateConnection, type Connection, type OIDC } from './sso'

const t = sso.oidc

type Addresses = Pick<OIDC, 'redirect_uri' | 'backchannel_logout_uri' | 'post_logout_redirect_uri'>

/** What is entered at an OpenID provider. */
export function OIDCValues({ oidc }: { oidc: Addresses }) {
  return (
    <KeyValues>
      <KeyValue label={t.redirect}><Copyable text={oidc.redirect_uri} /></KeyValue>
      <KeyValue label={t.backchannel}><Copyable text={oidc.backchannel_logout_uri} /></KeyValue>
      <KeyValue label={t.afterLogout}><Copyable text={oidc.post_logout_redirect_uri} /></KeyValue>
    </KeyValues>
  )
}

/** A registration as it is typed. */
export type Registered = { issuer?: string; client_id?: string; client_secret?: string; scopes?: string[] }

type Props = { projectRef: string; connection: Connection; oidc: OIDC; mayWrite: boolean }

/** The registration at the OpenID provider of a connection. Its issuer stays. */
export function Registration({ projectRef: ref, connection: c, oidc, mayWrite }: Props) {
  const [edits, setEdits] = useDraft<Registered>(`sso ${c.id} oidc`, {})
  const update = useUpdateConnection(ref, c.id)
  const saved = { client_id: oidc.client_id, scopes: oidc.scopes ?? [] }
  const now = { ...saved, ...edits }
  const missing = now.client_id.trim() === ''
  const changes = [
    { name: 'client_id', label: t.client, before: saved.client_id, after: now.client_id.trim() },
    { name: 'scopes', label: t.scopes, before: saved.scopes.join(', '), after: now.scopes.join(', ') },
  ].filter((change) => change.before !== change.after)
  if (now.client_secret) changes.push({ name: 'client_secret', label: t.secret, before: '••••', after: t.replaced })
  const save = () =>
    update.mutate(
      { oidc: { client_id: now.client_id.trim(), scopes: now.scopes, ...(now.client_secret ? { client_secret: now.client_secret } : {}) } },
      { onSuccess: () => (setEdits({}), toast(t.saved)) },
    )
  const set = (change: Registered) => {
    const { client_secret, ...rest } = { ...edits, ...change }
    setEdits(client_secret ? { ...rest, client_secret } : rest)
  }
  return (
    <Section id="registration" title={t.title} description={t.text}>
      <fieldset disabled={!mayWrite}>
        <Card className="divide-y divide-line px-4">
          <OIDCValues oidc={oidc} />
          <KeyValues>
            <KeyValue label={t.issuer}>
              <Copyable text={oidc.issuer} />
              <p className="text-sm text-text-2">{t.issuerFixed}</p>
            </KeyValue>
          </KeyValues>
          <FormRow label={t.client} error={missing ? t.missing : undefined}>
            {(field) => <Input {...field} maxLength={1024} spellCheck={false} autoComplete="off" className="font-mono text-sm" value={now.client_id} onChange={(e) => set({ client_id: e.target.value })} />}
          </FormRow>
          <FormRow label={t.secret} help={t.secretHelp}>
            {(field) => <SecretInput {...field} fingerprint keep maxLength={1024} disabled={!mayWrite} value={now.client_secret} onChange={(client_secret) => set({ client_secret })} />}
          </FormRow>
          <FormRow label={t.scopes} help={t.scopesHelp}>
            {(field) => <ListInput {...field} disabled={!mayWrite} placeholder="groups" value={now.scopes} onChange={(scopes) => set({ scopes })} />}
          </FormRow>
        </Card>
      </fieldset>
      <DiffBar changes={changes} saving={update.isPending} error={update.error} blocked={missing} onSave={save} onDiscard={() => (update.reset(), setEdits({}))} />
    </Section>
  )
}
