import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '@/components/button'
import { Input } from '@/components/input'
import { entriesOf } from '@/components/listinput'
import { Card, Section } from '@/components/page'
import { urls as t } from '@/strings/urls'
import { useSettings } from '../settings'

const name = 'uri_allow_list'

/** The allow list, an entry a row. */
export function AllowList() {
  const { value, set, error, readOnly } = useSettings()
  const entries = entriesOf(value(name))
  const [fresh, setFresh] = useState('')
  const put = (next: string[]) => set({ [name]: next.join(',') })
  const add = () => {
    const more = entriesOf(fresh).filter((entry) => !entries.includes(entry))
    if (more.length > 0) put([...entries, ...more])
    setFresh('')
  }
  const problem = error(name)
  return (
    <Section title={t.list.title} description={t.list.description}>
      <Card>
        <fieldset disabled={readOnly} className="divide-y divide-line">
        {entries.length === 0 && <p className="px-4 py-3 text-text-2">{t.list.empty}</p>}
        {entries.map((entry, i) => (
          <div key={i} className="flex items-center gap-2 py-1.5 pr-2 pl-4">
            <Input aria-label={t.list.entry(i + 1)} className="font-mono" spellCheck={false} value={entry} onChange={(e) => put(entries.map((old, k) => (k === i ? e.target.value : old)))} />
            <IconButton icon={Trash2} label={t.list.remove(entry)} onClick={() => put(entries.filter((_, k) => k !== i))} />
          </div>
        ))}
        <form
          className="flex items-center gap-2 px-4 py-2"
          onSubmit={(event) => {
            event.preventDefault()
            add()
          }}
        >
          <Input aria-label={t.list.fresh} placeholder={t.list.placeholder} className="font-mono" spellCheck={false} value={fresh} onChange={(e) => setFresh(e.target.value)} />
          <Button type="submit" icon={Plus} disabled={fresh.trim() === ''}>
            {t.list.add}
          </Button>
        </form>
        </fieldset>
      </Card>
      {problem && (
        <p role="alert" className="mt-1 text-sm text-danger">
          {problem}
        </p>
      )}
      <dl className="mt-3 grid gap-x-4 gap-y-1 text-sm text-text-2 sm:grid-cols-[auto_1fr]">
        {t.wildcards.map(([pattern, meaning]) => (
          <div key={pattern} className="contents">
            <dt className="font-mono text-text">{pattern}</dt>
            <dd className="mb-1 sm:mb-0">{meaning}</dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}
