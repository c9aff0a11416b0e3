import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { SecretInput } from '@/components/secretinput'
import { sso } from '@/strings/sso'
import type { Registered } from './registration'

const t = sso.oidc

/** What is not given of a new registration. */
export const missingOf = (r: Registered) => (['issuer', 'client_id', 'client_secret'] as const).filter((name) => !r[name]?.trim())

/** What a request is told of it. */
export const registrationOf = (r: Registered) => ({ issuer: r.issuer?.trim() ?? '', client_id: r.client_id?.trim() ?? '', client_secret: r.client_secret ?? '', scopes: r.scopes ?? [] })

/** The registration of a new connection. */
export function RegistrationFields({ value, onChange, tried }: { value: Registered; onChange: (value: Registered) => void; tried: boolean }) {
  const missing = missingOf(value)
  const error = (name: (typeof missing)[number]) => (tried && missing.includes(name) ? t.missing : undefined)
  return (
    <div className="space-y-4">
      <Field label={t.issuer} help={t.issuerHelp} error={error('issuer')}>
        {(field) => <Input {...field} type="url" inputMode="url" maxLength={2048} spellCheck={false} autoComplete="off" placeholder="https://login.acme.example" value={value.issuer ?? ''} onChange={(e) => onChange({ ...value, issuer: e.target.value })} />}
      </Field>
      <Field label={t.client} error={error('client_id')}>
        {(field) => <Input {...field} maxLength={1024} spellCheck={false} autoComplete="off" className="font-mono text-sm" value={value.client_id ?? ''} onChange={(e) => onChange({ ...value, client_id: e.target.value })} />}
      </Field>
      <Field label={t.secret} help={t.secretHelp} error={error('client_secret')}>
        {(field) => <SecretInput {...field} maxLength={1024} value={value.client_secret} onChange={(client_secret) => onChange({ ...value, client_secret })} />}
      </Field>
      <Field label={t.scopes} help={t.scopesHelp}>
        {(field) => <ListInput {...field} placeholder="groups" value={value.scopes ?? []} onChange={(scopes) => onChange({ ...value, scopes })} />}
      </Field>
    </div>
  )
}
