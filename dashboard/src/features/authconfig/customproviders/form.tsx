import type { ReactNode } from 'react'
import { FormRow } from '@/components/form'
import { Input, Switch, Textarea } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { SecretInput } from '@/components/secretinput'
import { customProviders as t } from '@/strings/customproviders'
import type { Fields, Name } from './fields'

export type Form = {
  fields: Fields
  set: (change: Partial<Fields>) => void
  errors: Partial<Record<Name, string>>
  readOnly: boolean
  /** Whether a secret is stored. */
  stored: boolean
}

type Control = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

const lists = ['acceptable_client_ids', 'scopes', 'custom_claims_allowlist'] as const
const switches = ['pkce_enabled', 'enabled', 'email_optional', 'skip_nonce_check'] as const
const objects = ['attribute_mapping', 'authorization_params'] as const

const among = <N extends Name>(names: readonly N[], name: Name): name is N => names.some((n) => n === name)

function control(form: Form, name: Name, field: Control): ReactNode {
  const { fields, set } = form
  if (name === 'client_secret') return <SecretInput {...field} fingerprint={form.stored || undefined} keep value={fields.client_secret} onChange={(client_secret) => set({ client_secret })} />
  if (among(lists, name)) return <ListInput {...field} value={fields[name] ?? []} onChange={(next) => set({ [name]: next })} />
  if (among(switches, name)) return <Switch id={field.id} aria-describedby={field['aria-describedby']} disabled={form.readOnly} checked={fields[name]} onCheckedChange={(on) => set({ [name]: on })} />
  if (among(objects, name)) return <Textarea {...field} rows={3} spellCheck={false} className="font-mono text-sm" placeholder={t.examples[name]} value={fields[name]} onChange={(e) => set({ [name]: e.target.value })} />
  return <Input {...field} spellCheck={false} autoComplete="off" maxLength={2048} placeholder={t.examples[name]} value={fields[name]} onChange={(e) => set({ [name]: e.target.value })} />
}

/** Rows of a provider's fields. */
export function Rows({ form, names }: { form: Form; names: Name[] }) {
  return names.map((name) => (
    <FormRow key={name} label={t.labels[name]} help={t.help[name]} error={form.errors[name]}>
      {(field) => (
        <fieldset disabled={form.readOnly} className="contents">
          {control(form, name, field)}
        </fieldset>
      )}
    </FormRow>
  ))
}
