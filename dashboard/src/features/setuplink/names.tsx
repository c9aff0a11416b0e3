import { Field } from '@/components/form'
import { Input } from '@/components/input'
import { setupLink } from '@/strings/setuplink'

export type NamesOf = { email: string; name: string; groups: string }

/** How the provider calls what it says about a person. */
export function Names({ value, onChange, text }: { value: NamesOf; onChange: (value: NamesOf) => void; text: string }) {
  const t = setupLink.metadata
  return (
    <fieldset className="space-y-3">
      <legend className="font-medium">{t.names}</legend>
      <p className="text-sm text-text-2">{text}</p>
      {(['email', 'name', 'groups'] as const).map((key) => (
        <Field key={key} label={t[key]}>
          {(f) => <Input {...f} className="font-mono text-sm" maxLength={500} value={value[key]} onChange={(e) => onChange({ ...value, [key]: e.target.value })} spellCheck={false} />}
        </Field>
      ))}
    </fieldset>
  )
}
