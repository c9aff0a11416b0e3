import { Editor } from '@/components/editor'
import { FormRow } from '@/components/form'
import { Input } from '@/components/input'
import { Section } from '@/components/page'
import { user as t } from '@/strings/user'
import { faultLine } from './metadata'

export type Values = { email: string; phone: string; role: string; user_metadata: string; app_metadata: string }

/** The lines to mark. */
function faultsOf(text: string): number[] | undefined {
  const line = faultLine(text)
  return line === undefined ? undefined : [line]
}

type Props = { values: Values; errors: Partial<Values>; onChange: (name: keyof Values, value: string) => void; readOnly: boolean }

/** The fields of a profile. */
export function ProfileForm({ values, errors, onChange, readOnly }: Props) {
  const p = t.profile
  const inputs = [
    { name: 'email', label: p.email, help: p.emailHelp, type: 'email', most: 255 },
    { name: 'phone', label: p.phone, help: p.phoneHelp, type: 'tel', most: 50 },
  ] as const
  const editors = [
    { name: 'user_metadata', label: p.userMetadata, help: p.userMetadataHelp },
    { name: 'app_metadata', label: p.appMetadata, help: p.appMetadataHelp },
  ] as const
  return (
    <Section title={p.title} id="profile">
      <div className="divide-y divide-line border-y border-line">
        {inputs.map((i) => (
          <FormRow key={i.name} label={i.label} help={readOnly ? undefined : i.help} error={errors[i.name]}>
            {(f) => <Input {...f} type={i.type} maxLength={i.most} value={values[i.name]} readOnly={readOnly} dir="auto" onChange={(e) => onChange(i.name, e.target.value)} autoComplete="off" spellCheck={false} />}
          </FormRow>
        ))}
        {editors.map((e) => (
          <div key={e.name} className="space-y-2 py-4">
            <div>
              <p className="font-medium">{e.label}</p>
              <p className="text-sm text-text-2">{e.help}</p>
            </div>
            <Editor language="json" label={e.label} value={values[e.name]} onChange={(value) => onChange(e.name, value)} minHeight="60px" maxHeight="320px" readOnly={readOnly} faults={faultsOf(values[e.name])} />
            {errors[e.name] && (
              <p role="alert" className="text-sm break-words text-danger">
                {errors[e.name]}
              </p>
            )}
          </div>
        ))}
      </div>
    </Section>
  )
}
