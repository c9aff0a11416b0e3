import { useState, type FormEvent } from 'react'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input, Select, Textarea } from '@/components/input'
import { ListInput } from '@/components/listinput'
import { Notice } from '@/components/state'
import { toast } from '@/components/toast'
import { useDraft } from '@/lib/draft'
import { common } from '@/strings/common'
import { issuers as t } from '@/strings/issuers'
import { useTrust } from './issuers'
import { nameOf, presets, trustedOf, type Preset } from './presets'

type Draft = { given?: Partial<Record<Preset, string>>; audiences?: string[] }
type Props = { projectRef: string; preset: Preset; onPreset: (preset: Preset) => void; onClose: () => void }

/** Begins to trust an issuer, named as the service that it is of names it. */
export function TrustDialog({ projectRef, preset, onPreset, onClose }: Props) {
  const [draft, setDraft] = useDraft<Draft>(`trusted-issuer ${projectRef}`, {})
  const [tried, setTried] = useState(false)
  const trust = useTrust(projectRef)
  const about = t.presets[preset]
  const text = draft.given?.[preset] ?? ''
  const body = trustedOf(preset, text)
  const audiences = draft.audiences ?? body?.audiences ?? []
  const wrong = tried && !body ? (text.trim() ? about.wrong : t.form.empty) : undefined
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!body) return
    trust.mutate(
      { ...body, ...(audiences.length > 0 && { audiences }) },
      {
        onSuccess: (made) => {
          setDraft({})
          toast(t.form.done(nameOf(made)))
          onClose()
        },
      },
    )
  }
  const type = (value: string) => setDraft({ ...draft, given: { ...draft.given, [preset]: value } })
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.form.title}
      description={t.form.text}
      footer={
        <>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button kind="primary" type="submit" form="trust-issuer" busy={trust.isPending}>
            {t.form.submit}
          </Button>
        </>
      }
    >
      <form id="trust-issuer" noValidate onSubmit={submit} className="space-y-4 pb-2">
        <Field label={t.form.preset}>
          {(field) => (
            <Select
              {...field}
              value={preset}
              onChange={(event) => {
                trust.reset()
                setTried(false)
                onPreset(presets.find((p) => p === event.target.value) ?? preset)
              }}
            >
              {presets.map((p) => (
                <option key={p} value={p}>
                  {t.presets[p].name}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={about.field} help={about.help} error={wrong}>
          {(field) =>
            preset === 'custom' ? (
              <Textarea {...field} rows={6} className="font-mono text-sm" spellCheck={false} placeholder={about.example} value={text} onChange={(event) => type(event.target.value)} />
            ) : (
              <Input {...field} className="font-mono" maxLength={2048} spellCheck={false} autoComplete="off" placeholder={about.example} value={text} onChange={(event) => type(event.target.value)} />
            )
          }
        </Field>
        {body?.oidc_issuer_url && preset !== 'oidc' && (
          <p className="text-sm break-words text-text-2">
            {t.form.issuer} <span className="font-mono text-text">{body.oidc_issuer_url}</span>
          </p>
        )}
        <Field label={t.form.audiences} help={t.form.audiencesHelp}>
          {(field) => <ListInput {...field} value={audiences} onChange={(next) => setDraft({ ...draft, audiences: next })} />}
        </Field>
        <Notice tone="neutral">
          <p className="text-sm break-words text-text-2">{about.role}</p>
        </Notice>
        {trust.error && <ErrorNote error={trust.error} />}
      </form>
    </Dialog>
  )
}
