import { DiffBar } from '@/components/diff'
import { FormRow } from '@/components/form'
import { Input, Select } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Card, Section } from '@/components/page'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { sso as t } from '@/strings/sso'
import { useUpdateConnection, type Connection } from './sso'

const g = t.general

const formats = { persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', emailAddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress', unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified', transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }

type Values = { name: string; domains: string[]; name_id_format: string }
const labels: Record<keyof Values, string> = { name: g.name, domains: t.domains.title, name_id_format: g.format }

/** Name, domains and what the provider is asked for. */
export function General({ projectRef: ref, connection: c, mayWrite }: { projectRef: string; connection: Connection; mayWrite: boolean }) {
  const saved: Values = { name: c.name, domains: c.domains ?? [], name_id_format: c.saml?.name_id_format ?? '' }
  const [edits, setEdits] = useDraft<Partial<Values>>(`sso ${c.id} general`, {})
  const update = useUpdateConnection(ref, c.id)
  const now = { ...saved, ...edits }
  const names = (Object.keys(labels) as (keyof Values)[]).filter((n) => JSON.stringify(now[n]) !== JSON.stringify(saved[n]))
  const set = (change: Partial<Values>) => setEdits({ ...edits, ...change })
  const shown = (value: unknown) => (Array.isArray(value) ? value.join(', ') : value)
  return (
    <Section title={g.title}>
      <fieldset disabled={!mayWrite}>
        <Card className="divide-y divide-line px-4">
          <FormRow label={t.domains.title} help={now.domains.length === 0 ? t.noDomains : t.domains.text}>
            {(field) => <ListInput {...field} disabled={!mayWrite} placeholder="acme.example" value={now.domains} onChange={(domains) => set({ domains })} />}
          </FormRow>
          <FormRow label={g.name} help={g.nameHelp}>
            {(field) => <Input {...field} maxLength={200} dir="auto" autoComplete="off" value={now.name} onChange={(e) => set({ name: e.target.value })} />}
          </FormRow>
          {c.saml && (
            <FormRow label={g.format} help={g.formatHelp}>
              {(field) => (
                <Select {...field} value={now.name_id_format} onChange={(e) => set({ name_id_format: e.target.value })}>
                  <option value="">{g.any}</option>
                  {Object.entries(formats).map(([name, value]) => (
                    <option key={name} value={value}>
                      {g.formats[name]}
                    </option>
                  ))}
                </Select>
              )}
            </FormRow>
          )}
        </Card>
      </fieldset>
      <DiffBar
        changes={names.map((n) => ({ name: n, label: labels[n], before: shown(saved[n]), after: shown(now[n]) }))}
        saving={update.isPending}
        error={update.error}
        onSave={() => update.mutate(Object.fromEntries(names.map((n) => [n, now[n]])), { onSuccess: () => (setEdits({}), toast(t.saved)) })}
        onDiscard={() => (update.reset(), setEdits({}))}
      />
    </Section>
  )
}
