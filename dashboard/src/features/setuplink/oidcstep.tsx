import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { KeyValue, KeyValues } from '@/components/page'
import { SecretInput } from '@/components/secretinput'
import { Notice } from '@/components/state'
import { guides } from '@/strings/setupidps'
import { setupLink } from '@/strings/setuplink'
import { Names } from './names'
import { Actions, Heading } from './parts'
import { useSave } from './setuplink'
import type { StepProps } from './setuppage'

/** The registration at an OpenID provider. What was typed stays when it is refused. */
export function OIDCStep({ link, state, onNext }: StepProps) {
  const t = setupLink.oidc
  const guide = guides[state.idp]?.oidc
  const saved = state.connection?.type === 'oidc' ? state.connection : undefined
  const [issuer, setIssuer] = useState(saved?.issuer ?? (guide?.issuer.includes('YOUR-') || state.idp === 'generic' ? '' : (guide?.issuer ?? '')))
  const [client, setClient] = useState(saved?.client_id ?? '')
  const [secret, setSecret] = useState<string>()
  const [scopes, setScopes] = useState(saved ? (saved.scopes ?? []) : (guide?.scopes ?? []))
  const [names, setNames] = useState(saved?.mapping ?? guide?.mapping ?? { email: '', name: '', groups: '' })
  const [tried, setTried] = useState(false)
  const save = useSave(link)
  const live = (state.done ?? []).includes('sso')
  const kept = saved !== undefined && saved.issuer === issuer.trim()
  const missing = { issuer: issuer.trim() === '', client: client.trim() === '', secret: !secret && !kept }
  const error = (name: keyof typeof missing) => (tried && missing[name] ? setupLink.metadata.missing : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (missing.issuer || missing.client || missing.secret) return
    save.mutate({ oidc: { issuer: issuer.trim(), client_id: client.trim(), scopes, ...(secret ? { client_secret: secret } : {}) }, mapping: names }, { onSuccess: onNext })
  }
  return (
    <>
      <Heading title={t.title}>{t.text}</Heading>
      {guide && (
        <p className="mb-4 break-words">
          {setupLink.metadata.where} <span className="font-medium">{guide.where}</span>
        </p>
      )}
      {saved && (
        <div className="mb-5 space-y-2">
          <Notice tone="ok">
            {t.saved}. {!live && setupLink.metadata.replace}
          </Notice>
          {live && (
            <KeyValues>
              <KeyValue label={t.issuer}><span className="font-mono text-sm break-all">{saved.issuer}</span></KeyValue>
              <KeyValue label={t.client}><span className="font-mono text-sm break-all">{saved.client_id}</span></KeyValue>
            </KeyValues>
          )}
        </div>
      )}
      {!live && (
        <form noValidate onSubmit={submit} className="space-y-4">
          <Field label={t.issuer} help={guide ? t.issuerHelp(guide.issuer) : t.issuerAny} error={error('issuer')}>
            {(f) => <Input {...f} type="url" inputMode="url" maxLength={2048} value={issuer} onChange={(e) => setIssuer(e.target.value)} spellCheck={false} autoComplete="off" />}
          </Field>
          <Field label={t.client} error={error('client')}>
            {(f) => <Input {...f} className="font-mono text-sm" maxLength={1024} value={client} onChange={(e) => setClient(e.target.value)} spellCheck={false} autoComplete="off" />}
          </Field>
          <Field label={t.secret} help={t.secretHelp} error={error('secret')}>
            {(f) => <SecretInput {...f} fingerprint={kept ? true : undefined} keep maxLength={1024} value={secret} onChange={setSecret} />}
          </Field>
          <Field label={t.scopes} help={t.scopesHelp}>
            {(f) => <ListInput {...f} value={scopes} onChange={setScopes} />}
          </Field>
          <Names value={names} onChange={setNames} text={t.namesText} />
          {save.error && <ErrorNote error={save.error} />}
          <Actions>
            <Button kind="primary" type="submit" busy={save.isPending}>
              {setupLink.metadata.save}
            </Button>
          </Actions>
        </form>
      )}
    </>
  )
}
