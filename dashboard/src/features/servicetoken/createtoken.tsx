import { useState, type FormEvent, type ReactNode } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Checkbox, Input, Select } from '@/components/input'
import { MadeToken } from '@/components/madetoken'
import { common } from '@/strings/common'
import { tokens } from '@/strings/tokens'
import { useCreateServiceToken } from './servicetokens'

type Props = {
  slug: string
  projects: { ref: string; name: string }[]
  permissionChoice: (chosen: ReadonlySet<string>, onChange: (chosen: Set<string>) => void) => ReactNode
  onClose: () => void
}

const lifetimes = [1, 7, 30, 90, 365]

/** Creates a service token, and shows its text once. */
export function CreateToken({ slug, projects, permissionChoice, onClose }: Props) {
  const t = tokens.form
  const [name, setName] = useState('')
  const [days, setDays] = useState(90)
  const [refs, setRefs] = useState(new Set<string>())
  const [chosen, setChosen] = useState(new Set(['project:read']))
  const [tried, setTried] = useState(false)
  const create = useCreateServiceToken(slug)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!name.trim()) return
    await create.mutateAsync({ name: name.trim(), expires_in: days * 86_400, permissions: [...chosen], ...(refs.size > 0 && { projects: [...refs] }) })
  }
  if (create.data) return <MadeToken token={create.data.token} onClose={onClose} />
  const toggle = (ref: string, on: boolean) => {
    const next = new Set(refs)
    if (on) next.add(ref)
    else next.delete(ref)
    setRefs(next)
  }
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={tokens.create}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" type="submit" form="token" busy={create.isPending}>
            {tokens.create}
          </Button>
        </>
      }
    >
      <form id="token" className="space-y-4 pb-2" onSubmit={(e) => void submit(e).catch(() => {})}>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t.name} help={t.nameHelp} error={tried && !name.trim() ? t.nameMissing : undefined}>
            {(f) => <Input {...f} value={name} onChange={(e) => setName(e.target.value)} maxLength={64} autoComplete="off" autoFocus />}
          </Field>
          <Field label={t.expires}>
            {(f) => (
              <Select {...f} value={days} onChange={(e) => setDays(Number(e.target.value))}>
                {lifetimes.map((n) => (
                  <option key={n} value={n}>
                    {t.days(n)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <fieldset>
          <legend className="font-medium">{t.projects}</legend>
          <p className="mb-1 text-sm text-text-2">{t.projectsHelp}</p>
          <div className="grid max-h-40 gap-x-6 overflow-y-auto sm:grid-cols-2">
            {projects.map((p) => (
              <label key={p.ref} className="flex h-7 min-w-0 items-center gap-2">
                <Checkbox checked={refs.has(p.ref)} onCheckedChange={(on) => toggle(p.ref, on)} />
                <span className="truncate">{p.name}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <div>
          <h3 className="font-medium">{t.permissions}</h3>
          <p className="mb-2 text-sm text-text-2">{t.permissionsHelp}</p>
          {permissionChoice(chosen, setChosen)}
        </div>
        {create.error && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  )
}
