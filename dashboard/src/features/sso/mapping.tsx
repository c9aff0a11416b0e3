import { Plus, Trash2 } from 'lucide-react'
import { Button, IconButton } from '@/components/button'
import { DiffBar } from '@/components/diff'
import { Field } from '@/components/form'
import { Checkbox, Input } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Card, Section } from '@/components/page'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { sso } from '@/strings/sso'
import { claimsOf, mappingOf, wrong, type Claim } from './claims'
import { useUpdateConnection, type Connection } from './sso'

const t = sso.mapping

type Props = { projectRef: string; connection: Connection; mayWrite: boolean }

/** Which statement of the provider becomes which claim. */
export function MappingForm({ projectRef: ref, connection: c, mayWrite }: Props) {
  const saved = claimsOf(c.attribute_mapping)
  const [edits, setEdits] = useDraft<{ claims?: Claim[] }>(`sso ${c.id} mapping`, {})
  const update = useUpdateConnection(ref, c.id)
  const claims = edits.claims ?? saved
  const bad = wrong(claims)
  const change = (next: Claim[]) => setEdits({ claims: next })
  const set = (at: number, part: Partial<Claim>) => change(claims.map((claim, i) => (i === at ? { ...claim, ...part } : claim)))
  const text = (list: Claim[]) => JSON.stringify(mappingOf(list).keys, null, 2)
  const differs = JSON.stringify(claims) !== JSON.stringify(saved)
  return (
    <Section title={t.title} description={t.text} action={
      <Button icon={Plus} disabled={!mayWrite} onClick={() => change([...claims, { claim: '', names: [], fallback: '', array: false }])}>
        {t.add}
      </Button>
    }>
      <fieldset disabled={!mayWrite}>
        <Card>
          {claims.length === 0 && <p className="px-4 py-6 text-center text-text-2">{t.empty}</p>}
          <ul className="divide-y divide-line">
            {claims.map((claim, i) => (
              <li key={i} className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-x-4 gap-y-3 px-4 py-3 max-sm:[&>:nth-child(-n+3)]:col-span-2 sm:grid-cols-[minmax(0,1fr)_minmax(0,2fr)_minmax(0,1fr)_auto_auto]">
                <Field label={t.claim} error={edits.claims && bad[i] && t.twice}>
                  {(field) => <Input {...field} maxLength={512} spellCheck={false} autoComplete="off" className="font-mono text-sm" value={claim.claim} onChange={(e) => set(i, { claim: e.target.value })} />}
                </Field>
                <Field label={t.names} help={claim.names.length > 1 ? t.namesHelp : undefined}>
                  {(field) => <ListInput {...field} spaces disabled={!mayWrite} value={claim.names} onChange={(names) => set(i, { names })} />}
                </Field>
                <Field label={t.fallback}>{(field) => <Input {...field} autoComplete="off" value={claim.fallback} onChange={(e) => set(i, { fallback: e.target.value })} />}</Field>
                <Field label={t.array}>
                  {({ id }) => (
                    <span className="flex h-8 items-center">
                      <Checkbox id={id} disabled={!mayWrite} checked={claim.array} onCheckedChange={(array) => set(i, { array })} />
                    </span>
                  )}
                </Field>
                <span className="pt-6">
                  <IconButton icon={Trash2} label={`${t.remove} ${claim.claim}`} disabled={!mayWrite} onClick={() => change(claims.filter((_, j) => j !== i))} />
                </span>
              </li>
            ))}
          </ul>
        </Card>
      </fieldset>
      <DiffBar
        changes={differs ? [{ name: 'attribute_mapping', label: t.title, before: text(saved), after: text(claims) }] : []}
        saving={update.isPending}
        error={update.error}
        blocked={bad.some(Boolean)}
        onSave={() => update.mutate({ attribute_mapping: mappingOf(claims) }, { onSuccess: () => (setEdits({}), toast(t.saved)) })}
        onDiscard={() => (update.reset(), setEdits({}))}
      />
    </Section>
  )
}
