import { useState, type FormEvent, type ReactNode } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Checkbox, Input, Select } from '@/components/input'
import { MadeToken } from '@/components/madetoken'
import { account } from '@/strings/account'
import { common } from '@/strings/common'
import { tokens } from '@/strings/tokens'
import { useCreateToken } from './tokens'

type Props = {
  orgs: { slug: string; name: string }[]
  permissionChoice: (chosen: ReadonlySet<string>, onChange: (chosen: Set<string>) => void) => ReactNode
  onClose: () => void
}

const lifetimes = [1, 7, 30, 90, 365]

/** Creates an access token, and shows its text once. */
export function CreateToken({ orgs, permissionChoice, onClose }: Props) {
  const t = account.tokens
  const [name, setName] = useState('')
  const [days, setDays] = useState(90)
  const [slugs, setSlugs] = useState(new Set<string>())
  const [limited, setLimited] = useState(false)
  const [chosen, setChosen] = useState(new Set(['project:read']))
  const [tried, setTried] = useState(false)
  const create = useCreateToken()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!name.trim()) return
    await create.mutateAsync({
      name: name.trim(),
      ...(days > 0 && { expires_in: days * 86_400 }),
      ...(slugs.size > 0 && { organizations: [...slugs] }),
      ...(limited && chosen.size > 0 && { permissions: [...chosen] }),
    })
  }
  if (create.data) return <MadeToken token={create.data.token} onClose={onClose} />
  const toggle = (slug: string, on: boolean) => {
    const next = new Set(slugs)
    if (on) next.add(slug)
    else next.delete(slug)
    setSlugs(next)
  }
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={t.create}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" type="submit" form="token" busy={create.isPending} disabled={limited && chosen.size === 0}>
            {t.create}
          </Button>
        </>
      }
    >
      <form id="token" className="space-y-4 pb-2" onSubmit={(e) => void submit(e).catch(() => {})}>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={tokens.form.name} help={tokens.form.nameHelp} error={tried && !name.trim() ? tokens.form.nameMissing : undefined}>
            {(f) => <Input {...f} value={name} onChange={(e) => setName(e.target.value)} maxLength={256} autoComplete="off" autoFocus />}
          </Field>
          <Field label={t.form.expires}>
            {(f) => (
              <Select {...f} value={days} onChange={(e) => setDays(Number(e.target.value))}>
                {lifetimes.map((n) => (
                  <option key={n} value={n}>
                    {tokens.form.days(n)}
                  </option>
                ))}
                <option value={0}>{t.form.forever}</option>
              </Select>
            )}
          </Field>
        </div>
        <fieldset>
          <legend className="font-medium">{t.form.organizations}</legend>
          <p className="mb-1 text-sm text-text-2">{t.form.organizationsHelp}</p>
          <div className="grid max-h-40 gap-x-6 overflow-y-auto sm:grid-cols-2">
            {orgs.map((o) => (
              <label key={o.slug} className="flex h-7 min-w-0 items-center gap-2">
                <Checkbox checked={slugs.has(o.slug)} onCheckedChange={(on) => toggle(o.slug, on)} />
                <span className="truncate">{o.name}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <div>
          <label className="flex h-7 items-center gap-2 font-medium">
            <Checkbox checked={limited} onCheckedChange={setLimited} />
            {t.form.limit}
          </label>
          <p className="mb-2 text-sm text-text-2">{t.form.limitHelp}</p>
          {limited && permissionChoice(chosen, setChosen)}
        </div>
        {create.error && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  )
}
