import { useState } from 'react'
import { Button } from '@/components/button'
import { CopyButton } from '@/components/copy'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Checkbox, Input, Select } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Notice } from '@/components/state'
import { Time } from '@/components/time'
import { cx } from '@/lib/cx'
import { common } from '@/strings/common'
import { ssoLinks as t } from '@/strings/ssolinks'
import { fits, intents, usual, type Intent } from './intents'
import { useMakeLink } from './linksapi'
import type { Connection } from './sso'

const day = 86_400
const f = t.form

type Props = { projectRef: string; connections: Connection[]; /** The connection that is chosen at first. */ connection?: string; onClose: () => void }

/** Makes a setup link, and shows it once. */
export function MakeLink({ projectRef: ref, connections, connection, onClose }: Props) {
  const [id, setId] = useState(connections.some((c) => c.id === connection) ? (connection ?? '') : '')
  const chosen = connections.find((c) => c.id === id)
  const [picked, pick] = useState<Intent[]>(usual(chosen))
  const [name, setName] = useState('')
  const [domains, setDomains] = useState<string[]>([])
  const [days, setDays] = useState(7)
  const [tried, setTried] = useState(false)
  const make = useMakeLink(ref)
  const wanted = intents.filter((i) => picked.includes(i) && fits(i, chosen))
  const missing = { name: !chosen && name.trim() === '', intents: wanted.length === 0 }
  const choose = (next: string) => {
    setId(next)
    pick(usual(connections.find((c) => c.id === next)))
  }
  const submit = () => {
    setTried(true)
    if (missing.name || missing.intents) return
    make.mutate({ intents: wanted, expires_in: days * day, ...(chosen ? { provider_id: chosen.id } : { name: name.trim(), domains }) })
  }
  if (make.data) {
    return (
      <Dialog open onOpenChange={() => {}} title={t.made.title} footer={<Button kind="primary" onClick={onClose}>{t.made.done}</Button>}>
        <div className="space-y-4 pb-2">
          <Notice tone="warn">{t.made.text}</Notice>
          <p className="flex min-w-0 items-start gap-1 rounded border border-line bg-sunken px-2 py-1.5" role="group" aria-label={t.made.label}>
            <span className="min-w-0 flex-1 font-mono text-sm break-all">{make.data.url}</span>
            <CopyButton text={make.data.url} label={t.made.copy} />
          </p>
          <p className="text-text-2">
            {t.made.until} <Time at={make.data.expires_at} />
          </p>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.make}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" busy={make.isPending} onClick={submit}>
            {f.submit}
          </Button>
        </>
      }
    >
      <div className="space-y-4 pb-2">
        {connections.length > 0 && (
          <Field label={f.for}>
            {(field) => (
              <Select {...field} value={id} onChange={(e) => choose(e.target.value)}>
                <option value="">{f.newOne}</option>
                {connections.map((c) => (
                  <option key={c.id} value={c.id}>
                    {c.label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        {!chosen && (
          <Field label={f.name} help={f.nameHelp} error={tried && missing.name ? f.missingName : undefined}>
            {(field) => <Input {...field} maxLength={200} dir="auto" autoComplete="off" value={name} onChange={(e) => setName(e.target.value)} />}
          </Field>
        )}
        <Intents picked={wanted} onPick={pick} connection={chosen} error={tried && missing.intents ? f.missingIntents : undefined} />
        {!chosen && (
          <Field label={f.domains} help={f.domainsHelp}>
            {(field) => <ListInput {...field} placeholder="acme.example" value={domains} onChange={setDomains} />}
          </Field>
        )}
        <Field label={f.expires}>
          {(field) => (
            <Select {...field} value={days} onChange={(e) => setDays(Number(e.target.value))}>
              {[1, 3, 7, 14, 30].map((n) => (
                <option key={n} value={n}>
                  {f.days(n)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        {make.error && <ErrorNote error={make.error} />}
      </div>
    </Dialog>
  )
}

/** What the link is for: each with what it lets do, or why it cannot. */
function Intents({ picked, onPick, connection, error }: { picked: Intent[]; onPick: (intents: Intent[]) => void; connection: Connection | undefined; error?: string }) {
  return (
    <fieldset>
      <legend className="font-medium">{f.intents}</legend>
      <p className="mb-2 text-sm text-text-2">{f.intentsHelp}</p>
      <div className="divide-y divide-line rounded border border-line">
        {intents.map((i) => {
          const able = fits(i, connection)
          const needed = i === 'sso' && !connection
          return (
            <div key={i} className="flex items-start gap-2.5 px-3 py-2">
              <span className="pt-0.5">
                <Checkbox id={`intent-${i}`} aria-describedby={`about-${i}`} disabled={!able || needed} checked={picked.includes(i)} onCheckedChange={(on) => onPick(on ? [...picked, i] : picked.filter((other) => other !== i))} />
              </span>
              <span className="min-w-0">
                <label htmlFor={`intent-${i}`} className={cx('block font-medium', !able && 'text-text-3')}>{t.intents[i]}</label>
                <span id={`about-${i}`} className="block text-sm text-text-2">{able ? t.intentText[i] : t.unfit[i]} {needed && t.needed}</span>
              </span>
            </div>
          )
        })}
      </div>
      {error && <p role="alert" className="mt-1 text-sm text-danger">{error}</p>}
    </fieldset>
  )
}
