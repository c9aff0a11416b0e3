import { Link } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { Input, Switch } from '@/components/input'
import { Section } from '@/components/page'
import { Status } from '@/components/state'
import { providers as t } from '@/strings/providers'
import { settings as words } from '@/strings/settings'
import { PageHead } from '../page'
import { useSettings, type Settings } from '../settings'
import { ProviderLogo } from '@/components/providerlogo'
import { nameOfProvider } from './providers'

export type Entry = { id: string; name: string; on: boolean; ready: boolean }

/** All providers that have settings, by name. */
export function entriesOf({ sections, value }: Settings): Entry[] {
  const ids = new Set(sections.flatMap((s) => s.settings ?? []).flatMap((s) => (s.built && s.provider ? [s.provider] : [])))
  return [...ids]
    .map((id) => ({ id, name: nameOfProvider(id), on: value(`external_${id}_enabled`) === true, ready: Boolean(value(`external_${id}_client_id`)) }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

function Tile({ entry }: { entry: Entry }) {
  const { ref, set } = useSettings()
  return (
    <li className="relative flex items-center gap-3 rounded border border-line bg-surface p-3 hover:border-line-strong">
      <ProviderLogo id={entry.id} name={entry.name} />
      <div className="min-w-0 flex-1">
        <Link to="/p/$ref/auth/providers/$provider" params={{ ref, provider: entry.id }} className="block truncate font-medium after:absolute after:inset-0 after:rounded">
          {entry.name}
        </Link>
        {(entry.on || entry.ready) && (
          <span className="text-sm text-text-2">
            <Status tone={entry.on ? 'ok' : 'neutral'}>{entry.on ? t.on : t.ready}</Status>
          </span>
        )}
      </div>
      {(entry.ready || entry.on) && (
        <span className="relative z-10 flex">
          <Switch aria-label={t.turnOn(entry.name)} checked={entry.on} onCheckedChange={(on) => set({ [`external_${entry.id}_enabled`]: on })} />
        </span>
      )}
    </li>
  )
}

/** The providers as a grid: those in use first. What else stands on the page is composed by the route. */
export function ProvidersPage({ children }: { children?: ReactNode }) {
  const settings = useSettings()
  const [search, setSearch] = useState('')
  const all = entriesOf(settings)
  const found = all.filter((e) => `${e.name} ${e.id}`.toLowerCase().includes(search.trim().toLowerCase()))
  const used = found.filter((e) => settings.saved[`external_${e.id}_enabled`] === true || settings.saved[`external_${e.id}_client_id`])
  const page = words.pages.providers
  const grid = (entries: Entry[]) => (
    <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
      {entries.map((e) => (
        <Tile key={e.id} entry={e} />
      ))}
    </ul>
  )
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} action={<Input type="search" aria-label={t.search} placeholder={t.search} value={search} onChange={(e) => setSearch(e.target.value)} className="w-56" />} />
      {used.length > 0 && <Section title={t.onTitle}>{grid(used)}</Section>}
      {found.length === 0 ? (
        <p className="text-text-2">{t.none(search)}</p>
      ) : (
        found.length > used.length && <Section title={t.allTitle}>{grid(found.filter((e) => !used.includes(e)))}</Section>
      )}
      {children}
    </>
  )
}
