import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Checkbox, Input, Select, Textarea } from '@/components/input'
import { common } from '@/strings/common'
import { keys as t } from '@/strings/keys'
import type { Key } from './keys'

type Restrictions = { name: string; description: string | null; scopes: string[] | null; allowed_networks: string[] | null; expires_at: string | null }
export type KeyDraft = Restrictions & { type: 'publishable' | 'secret' }

type Props = {
  open: boolean
  onOpenChange: (open: boolean) => void
  /** The key that is changed; a new one is created without. */
  of?: Key
  onSubmit: (draft: KeyDraft) => Promise<unknown>
}

type Life = keyof typeof t.form.life

/** The form of a key: for a new one, or to change one. */
export function KeyForm(props: Props) {
  return props.open ? <OpenForm key={props.of?.id ?? 'new'} {...props} /> : null
}

function OpenForm({ onOpenChange, of, onSubmit }: Props) {
  const [name, setName] = useState(of?.name ?? '')
  const [type, setType] = useState<'publishable' | 'secret'>(of?.type === 'publishable' ? 'publishable' : 'secret')
  const [description, setDescription] = useState(of?.description ?? '')
  const [scopes, setScopes] = useState<Set<string> | null>(of?.scopes ? new Set(of.scopes) : null)
  const [networks, setNetworks] = useState((of?.allowed_networks ?? []).join('\n'))
  const [life, setLife] = useState<Life>(of?.expires_at ? 'date' : 'never')
  const [date, setDate] = useState(of?.expires_at ? local(of.expires_at) : '')
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()

  const nameWrong = !/^[a-z_][a-z0-9_]{3,63}$/.test(name) && name !== of?.name
  const scopesWrong = type === 'secret' && scopes?.size === 0
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (nameWrong || scopesWrong || (life === 'date' && !date)) return
    setBusy(true)
    setError(undefined)
    const lines = networks.split(/[\s,]+/).filter(Boolean)
    try {
      await onSubmit({
        name,
        type,
        description: description.trim() || null,
        scopes: type === 'secret' && scopes ? [...scopes] : null,
        allowed_networks: lines.length > 0 ? lines : null,
        expires_at: life === 'never' ? null : life === 'date' ? new Date(date).toISOString() : new Date(Date.now() + Number(life) * 86_400_000).toISOString(),
      })
      onOpenChange(false)
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  const toggle = (scope: string, on: boolean) => {
    const next = new Set(scopes)
    if (on) next.add(scope)
    else next.delete(scope)
    setScopes(next)
  }

  return (
    <Dialog
      open
      onOpenChange={(next) => !busy && onOpenChange(next)}
      title={of ? t.form.editTitle(of.name) : t.form.createTitle}
      footer={
        <>
          <Button onClick={() => onOpenChange(false)} disabled={busy}>
            {common.cancel}
          </Button>
          <Button type="submit" form="key" kind="primary" busy={busy}>
            {of ? t.form.save : t.create}
          </Button>
        </>
      }
    >
      <form id="key" onSubmit={submit} className="space-y-4 pb-2" noValidate>
        <Field label={t.form.name} help={t.form.nameHelp} error={tried && nameWrong && t.form.nameWrong}>
          {(field) => <Input {...field} autoFocus value={name} onChange={(e) => setName(e.target.value)} maxLength={64} autoComplete="off" spellCheck={false} className="font-mono" />}
        </Field>
        {!of && (
          <fieldset>
            <legend className="mb-1 font-medium">{t.form.kind}</legend>
            <div className="grid gap-2 sm:grid-cols-2">
              {(['publishable', 'secret'] as const).map((k) => (
                <label key={k} className="flex cursor-pointer gap-2 rounded border border-line p-3 has-checked:border-accent has-checked:bg-accent-soft">
                  <input type="radio" name="kind" className="mt-0.5 size-4 shrink-0 accent-(--accent)" checked={type === k} onChange={() => setType(k)} />
                  <span>
                    <span className="block font-medium">{t.form.kinds[k].title}</span>
                    <span className="block text-sm text-text-2">{t.form.kinds[k].text}</span>
                  </span>
                </label>
              ))}
            </div>
          </fieldset>
        )}
        {type === 'secret' && (
          <fieldset className="space-y-2">
            <legend className="mb-1 font-medium">{t.form.restrict}</legend>
            <Select aria-label={t.form.restrict} value={scopes ? 'some' : 'all'} onChange={(e) => setScopes(e.target.value === 'some' ? new Set() : null)}>
              <option value="all">{t.form.restrictAll}</option>
              <option value="some">{t.form.restrictSome}</option>
            </Select>
            {scopes && (
              <ul className="space-y-1.5 pt-1">
                {Object.entries(t.scopeTexts).map(([scope, text]) => (
                  <li key={scope}>
                    <label className="flex cursor-pointer items-start gap-2">
                      <span className="pt-0.5">
                        <Checkbox checked={scopes.has(scope)} onCheckedChange={(on) => toggle(scope, on)} />
                      </span>
                      <span className="min-w-0">
                        <span className="font-mono text-sm">{scope}</span> <span className="text-sm text-text-2">{text}</span>
                      </span>
                    </label>
                  </li>
                ))}
              </ul>
            )}
            {tried && scopesWrong && <p className="text-sm text-danger">{t.form.scopeNone}</p>}
          </fieldset>
        )}
        <Field label={t.form.networks} help={t.form.networksHelp}>
          {(field) => <Textarea {...field} rows={2} value={networks} onChange={(e) => setNetworks(e.target.value)} spellCheck={false} placeholder="203.0.113.0/24" className="min-h-16 font-mono text-sm" />}
        </Field>
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label={t.form.expires}>
            {(field) => (
              <Select {...field} value={life} onChange={(e) => setLife(e.target.value as Life)}>
                {Object.entries(t.form.life).map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {life === 'date' && <Field label={t.form.expiresAt}>{(field) => <Input {...field} type="datetime-local" required value={date} onChange={(e) => setDate(e.target.value)} />}</Field>}
        </div>
        <Field label={t.form.description} help={t.form.descriptionHelp}>
          {(field) => <Input {...field} value={description} onChange={(e) => setDescription(e.target.value)} maxLength={1024} />}
        </Field>
        {error !== undefined && <ErrorNote error={error} />}
      </form>
    </Dialog>
  )
}

/** A time as a field of the browser has it. */
const local = (at: string) => {
  const date = new Date(at)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
