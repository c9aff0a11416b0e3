import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/button'
import { Copyable } from '@/components/copy'
import { FormRow } from '@/components/form'
import { Input } from '@/components/input'
import { Card } from '@/components/page'
import { Segments } from '@/components/segments'
import { hooks as t } from '@/strings/hooks'
import { SettingRow } from '../row'
import { useSettings } from '../settings'
import { functionUri, kindOf, newSecret, settingOf, shownUri, type Kind, type Point } from './points'

const kinds: Kind[] = ['function', 'url']

/** What a hook calls: on or off, a function or a URL, and the secret that signs its requests. */
export function Target({ point }: { point: Point }) {
  const settings = useSettings()
  const name = settingOf(point, 'uri')
  const uri = String(settings.value(name) ?? '')
  const [chosen, choose] = useState<Kind>(() => kindOf(uri) ?? 'function')
  const [others, keep] = useState<Partial<Record<Kind, string>>>({})
  const kind = kindOf(uri) ?? chosen
  const w = t.what
  const change = (next: Kind) => {
    if (next === kind) return
    keep({ ...others, [kind]: uri })
    choose(next)
    settings.set({ [name]: others[next] ?? '' })
  }
  return (
    <Card className="divide-y divide-line px-4">
      <SettingRow name={settingOf(point, 'enabled')} label={w.enabled} help={w.enabledHelp} />
      <FormRow label={w.kind} help={w.kindHelp}>
        {() => (
          <fieldset disabled={settings.readOnly} className="contents">
            <Segments label={w.kind} value={kind} onChange={change} options={kinds.map((k) => ({ value: k, label: w.kinds[k] }))} />
          </fieldset>
        )}
      </FormRow>
      <Called key={kind} point={point} kind={kind} uri={uri} />
      {kind === 'url' && <Secrets point={point} />}
    </Card>
  )
}

function Called({ point, kind, uri }: { point: Point; kind: Kind; uri: string }) {
  const settings = useSettings()
  const name = settingOf(point, 'uri')
  // What was typed stays as it was typed, until the setting becomes another one.
  const [typed, type] = useState(shownUri(uri))
  const written = (text: string) => (kind === 'function' ? functionUri(text) : text.trim())
  const shown = written(typed) === uri ? typed : shownUri(uri)
  const w = t.what
  return (
    <FormRow label={kind === 'function' ? w.function : w.url} help={kind === 'function' ? w.functionHelp : w.urlHelp} error={settings.error(name)}>
      {(field) => (
        <Input
          {...field}
          className="font-mono"
          value={shown}
          disabled={settings.readOnly}
          maxLength={2048}
          spellCheck={false}
          autoComplete="off"
          placeholder={kind === 'function' ? w.functionExample : w.urlExample}
          onChange={(event) => {
            type(event.target.value)
            settings.set({ [name]: written(event.target.value) })
          }}
        />
      )}
    </FormRow>
  )
}

function Secrets({ point }: { point: Point }) {
  const settings = useSettings()
  const name = settingOf(point, 'secrets')
  const [made, make] = useState('')
  const fresh = made !== '' && settings.draft.values[name] === made
  return (
    <>
      <SettingRow
        name={name}
        label={t.what.secrets}
        help={t.what.secretsHelp}
        without={settingOf(point, 'enabled')}
        aside={
          <Button
            icon={KeyRound}
            onClick={() => {
              const secret = newSecret()
              make(secret)
              settings.set({ [name]: secret })
            }}
          >
            {t.what.generate}
          </Button>
        }
      />
      {fresh && (
        <div className="space-y-1 py-3">
          <p className="text-sm text-text-2">{t.what.generated}</p>
          <Copyable text={made} />
        </div>
      )}
    </>
  )
}
