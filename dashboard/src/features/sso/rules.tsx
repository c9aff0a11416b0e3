import type { ReactNode } from 'react'
import { ChoiceList } from '@/components/choicelist'
import { DiffBar } from '@/components/diff'
import { FormRow } from '@/components/form'
import { Input, Switch, Textarea } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Card, Section } from '@/components/page'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { sso } from '@/strings/sso'
import { useUpdateConnection, type Change, type Connection } from './sso'

const t = sso.rules

const switches = ['allow_unsolicited', 'allow_sha1', 'allow_other_domains', 'create_users', 'link_users', 'refuse_passwords'] as const
const objects = ['default_user_metadata', 'default_app_metadata'] as const
type On = (typeof switches)[number]
type Json = (typeof objects)[number]
type Fields = Record<On, boolean> & Record<Json, string> & { mfa: string; groups_attribute: string; allowed_groups: string[] }
type Name = keyof Fields

const written = (value: object) => (Object.keys(value).length > 0 ? JSON.stringify(value, null, 2) : '')

const fieldsOf = ({ rules: r }: Connection): Fields => ({ ...r, allowed_groups: r.allowed_groups ?? [], default_user_metadata: written(r.default_user_metadata), default_app_metadata: written(r.default_app_metadata) })

function objectIn(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

const labelOf = (name: Name) => (name === 'mfa' ? t.mfa.label : (t[name][0] ?? name))
const isObject = (name: Name): name is Json => objects.some((o) => o === name)

/** All rules of a connection, saved at once. */
export function RulesForm({ projectRef: ref, connection: c, mayWrite }: { projectRef: string; connection: Connection; mayWrite: boolean }) {
  const saved = fieldsOf(c)
  const [edits, setEdits] = useDraft<Partial<Fields>>(`sso ${c.id} rules`, {})
  const update = useUpdateConnection(ref, c.id)
  const now: Fields = { ...saved, ...edits }
  const names = (Object.keys(saved) as Name[]).filter((n) => JSON.stringify(now[n]) !== JSON.stringify(saved[n]))
  const set = (change: Partial<Fields>) => setEdits({ ...edits, ...change })
  const errors: Partial<Record<Name, string>> = {}
  for (const name of objects) if (!objectIn(now[name])) errors[name] = t.noObject
  if (now.allowed_groups.length > 0 && now.groups_attribute.trim() === '') errors.groups_attribute = t.needsAttribute
  const save = () => {
    const rules: NonNullable<Change['rules']> = Object.fromEntries(names.map((n) => [n, isObject(n) ? objectIn(now[n]) : now[n]]))
    update.mutate({ rules }, { onSuccess: () => (setEdits({}), toast(t.saved)) })
  }
  const row = (name: Exclude<Name, 'mfa'>, control: (field: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode) => (
    <FormRow label={t[name][0]} help={t[name][1]} error={errors[name]}>
      {control}
    </FormRow>
  )
  const toggle = (name: On) => row(name, ({ id, 'aria-describedby': by }) => <Switch id={id} aria-describedby={by} disabled={!mayWrite} checked={now[name]} onCheckedChange={(on) => set({ [name]: on })} />)
  const json = (name: Json) => row(name, (field) => <Textarea {...field} rows={3} spellCheck={false} className="font-mono text-sm" placeholder='{ "plan": "team" }' value={now[name]} onChange={(e) => set({ [name]: e.target.value })} />)
  const group = (title: string, children: ReactNode) => (
    <Section title={title}>
      <Card className="divide-y divide-line px-4">{children}</Card>
    </Section>
  )
  return (
    <>
      <fieldset disabled={!mayWrite}>
        {group(t.groups.who, <>
          {toggle('allow_other_domains')}
          {row('groups_attribute', (field) => <Input {...field} maxLength={512} spellCheck={false} autoComplete="off" placeholder="groups" value={now.groups_attribute} onChange={(e) => set({ groups_attribute: e.target.value })} />)}
          {row('allowed_groups', (field) => <ListInput {...field} spaces disabled={!mayWrite} value={now.allowed_groups} onChange={(allowed_groups) => set({ allowed_groups })} />)}
        </>)}
        {group(t.groups.accounts, <>{toggle('create_users')}{toggle('link_users')}{toggle('refuse_passwords')}{json('default_user_metadata')}{json('default_app_metadata')}</>)}
        <Section title={t.groups.factor}>
          <ChoiceList name="mfa" label={t.mfa.label} disabled={!mayWrite} value={now.mfa} onChange={(mfa) => set({ mfa })} options={(['project', 'provider', 'provider_stated'] as const).map((value) => ({ value: value as string, label: t.mfa[value][0], text: t.mfa[value][1] }))} />
        </Section>
        {c.saml && group(t.groups.security, <>{toggle('allow_unsolicited')}{toggle('allow_sha1')}</>)}
      </fieldset>
      <DiffBar
        changes={names.map((name) => ({ name, label: labelOf(name), before: now[name] instanceof Array ? saved.allowed_groups.join(', ') : saved[name], after: now[name] instanceof Array ? now.allowed_groups.join(', ') : now[name] }))}
        saving={update.isPending}
        error={update.error}
        blocked={Object.keys(errors).length > 0}
        onSave={save}
        onDiscard={() => (update.reset(), setEdits({}))}
      />
    </>
  )
}
