import { useState, type FormEvent, type ReactNode } from 'react'
import { Button } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Field } from '@/components/form'
import { Input, Textarea } from '@/components/input'
import { KeyValue, KeyValues } from '@/components/page'
import { Segments } from '@/components/segments'
import { Time } from '@/components/time'
import { setupLink } from '@/strings/setuplink'
import { Names, type NamesOf } from './names'
import { Actions } from './parts'
import { useSave, type Link, type SetupState } from './setuplink'

type Way = 'address' | 'file' | 'text'
const most = 700_000

type Props = {
  link: Link
  state: SetupState
  byAddress: boolean
  mapping?: NamesOf
  onSaved: () => void
  /** Whether nothing has to be given again. */
  optional?: boolean
  after?: ReactNode
}

/** Takes metadata as an address, a file or a text. What was typed stays when it is refused. */
export function MetadataForm({ link, state, byAddress, mapping, onSaved, optional, after }: Props) {
  const t = setupLink.metadata
  const [way, setWay] = useState<Way>(byAddress ? 'address' : 'file')
  const [address, setAddress] = useState(state.connection?.metadata_url ?? '')
  const [xml, setXml] = useState('')
  const [file, setFile] = useState({ name: '', text: '', large: false })
  const [names, setNames] = useState(mapping)
  const [tried, setTried] = useState(false)
  const save = useSave(link)
  const given = { address: address.trim(), file: file.text, text: xml.trim() }[way]
  const unchanged = way === 'address' && given === state.connection?.metadata_url
  const missing = !given && !optional
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (missing || file.large) return
    const metadata = !given || unchanged ? {} : way === 'address' ? { metadata_url: given } : { metadata_xml: given }
    save.mutate({ ...metadata, ...(names && { mapping: names }) }, { onSuccess: onSaved })
  }
  const read = async (chosen?: File) => {
    if (!chosen) return
    const large = chosen.size > most
    setFile({ name: chosen.name, text: large ? '' : await chosen.text(), large })
  }
  const error = tried && missing && t.missing
  return (
    <form noValidate onSubmit={submit} className="space-y-4">
      <Segments
        label={t.how}
        value={way}
        onChange={setWay}
        options={[
          { value: 'address', label: t.byAddress },
          { value: 'file', label: t.byFile },
          { value: 'text', label: t.byText },
        ]}
      />
      {way === 'address' && (
        <Field label={t.address} help={t.addressHelp} error={error}>
          {(f) => <Input {...f} type="url" inputMode="url" maxLength={2048} value={address} onChange={(e) => setAddress(e.target.value)} spellCheck={false} />}
        </Field>
      )}
      {way === 'file' && (
        <Field label={t.file} help={file.name} error={file.large ? t.fileLarge : error}>
          {(f) => <Input {...f} type="file" accept=".xml,application/xml,text/xml" className="h-auto py-1" onChange={(e) => void read(e.target.files?.[0])} />}
        </Field>
      )}
      {way === 'text' && (
        <Field label={t.xml} error={error}>
          {(f) => <Textarea {...f} rows={8} maxLength={most} className="font-mono text-sm" value={xml} onChange={(e) => setXml(e.target.value)} spellCheck={false} />}
        </Field>
      )}
      {names && <Names value={names} onChange={setNames} text={t.namesText} />}
      {save.error && <ErrorNote error={save.error} />}
      <Actions>
        <Button kind="primary" type="submit" busy={save.isPending}>
          {t.save}
        </Button>
        {after}
      </Actions>
    </form>
  )
}

/** What was read from the metadata. */
export function Saved({ connection }: { connection: NonNullable<SetupState['connection']> }) {
  const t = setupLink.metadata
  return (
    <KeyValues>
      <KeyValue label={t.entity}>
        <span className="font-mono text-sm break-all">{connection.entity_id}</span>
      </KeyValue>
      <KeyValue label={t.signIn}>
        <span className="font-mono text-sm break-all">{connection.sign_in_url}</span>
      </KeyValue>
      {(connection.certificates ?? []).map((c) => (
        <KeyValue key={c.fingerprint} label={t.certificate}>
          <span className="break-all">{c.subject}</span>, {t.expires} <Time at={c.expires_at} />
          <span className="block font-mono text-xs break-all text-text-2">{c.fingerprint}</span>
        </KeyValue>
      ))}
    </KeyValues>
  )
}
