import { Upload } from 'lucide-react'
import { useRef } from 'react'
import { Button } from '@/components/button'
import { Field } from '@/components/form'
import { Input, Textarea } from '@/components/input'
import { Segments } from '@/components/segments'
import { sso } from '@/strings/sso'

const t = sso.create

export type Metadata = { way?: 'url' | 'file'; url?: string; xml?: string }

/** What a request is told of it: the one that is shown. */
export const metadataOf = ({ way = 'url', url = '', xml = '' }: Metadata) => (way === 'url' ? { metadata_url: url.trim() } : { metadata_xml: xml })
export const isMissing = ({ way = 'url', url = '', xml = '' }: Metadata) => (way === 'url' ? url : xml).trim() === ''

/** The metadata of an identity provider: by its address, or as a file or text. */
export function MetadataFields({ value, onChange, error }: { value: Metadata; onChange: (value: Metadata) => void; error?: string }) {
  const file = useRef<HTMLInputElement>(null)
  const { way = 'url' } = value
  return (
    <div className="space-y-3">
      <Segments label={t.how} value={way} onChange={(way) => onChange({ ...value, way })} options={(['url', 'file'] as const).map((w) => ({ value: w, label: t.ways[w] }))} />
      {way === 'url' ? (
        <Field label={t.url} help={t.urlHelp} error={error}>
          {(field) => <Input {...field} type="url" spellCheck={false} autoComplete="off" maxLength={2048} placeholder="https://idp.acme.example/metadata" value={value.url ?? ''} onChange={(e) => onChange({ ...value, url: e.target.value })} />}
        </Field>
      ) : (
        <Field label={t.xml} help={t.xmlHelp} error={error}>
          {(field) => (
            <>
              <Textarea {...field} rows={6} spellCheck={false} className="font-mono text-sm" placeholder="<EntityDescriptor …" value={value.xml ?? ''} onChange={(e) => onChange({ ...value, xml: e.target.value })} />
              <input ref={file} type="file" accept=".xml,application/xml,text/xml" aria-label={t.file} className="sr-only" tabIndex={-1} onChange={(e) => void e.target.files?.[0]?.text().then((xml) => onChange({ ...value, xml }))} />
              <Button size="small" icon={Upload} onClick={() => file.current?.click()}>
                {t.file}
              </Button>
            </>
          )}
        </Field>
      )}
    </div>
  )
}
