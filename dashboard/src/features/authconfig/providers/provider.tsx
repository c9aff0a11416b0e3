import { useQuery } from '@tanstack/react-query'
import { ExternalLink } from 'lucide-react'
import { CodeBlock } from '@/components/code'
import { Copyable } from '@/components/copy'
import { ErrorNote } from '@/components/error'
import { Card } from '@/components/page'
import { EmptyState, Notice, Skeleton } from '@/components/state'
import { Step, Steps } from '@/components/steps'
import { projectQuery } from '@/features/project/project'
import { providers as t } from '@/strings/providers'
import { PageHead } from '../page'
import { SettingRow } from '../row'
import { useSettings } from '../settings'
import { ProviderLogo } from '@/components/providerlogo'
import { nameOfProvider } from './providers'
import { ProviderTest } from './test'

/** The address that providers send people back to. */
export function Callback({ projectRef }: { projectRef: string }) {
  const project = useQuery(projectQuery(projectRef))
  if (project.error) return <ErrorNote error={project.error} />
  if (!project.data) return <Skeleton className="h-6 w-96 max-w-full" />
  return (
    <p aria-label={t.callbackLabel} className="rounded border border-line bg-sunken px-2 py-1">
      <Copyable text={`${project.data.url}/auth/v1/callback`} />
    </p>
  )
}

/** A provider, step by step: register, callback, client, test, turn on. */
export function ProviderPage({ id }: { id: string }) {
  const { ref, sections, draft } = useSettings()
  const own = sections.flatMap((s) => s.settings ?? []).filter((s) => s.provider === id && s.built)
  const name = nameOfProvider(id)
  const known = t.known[id]
  if (own.length === 0) return <EmptyState title={t.unknown} />
  const named = (...ends: string[]) => own.filter((s) => ends.some((end) => s.name === `external_${id}_${end}`)).map((s) => s.name)
  const first = named('url', 'client_id', 'secret')
  const last = named('enabled')
  const rest = own.map((s) => s.name).filter((n) => !first.includes(n) && !last.includes(n))
  const rows = (names: string[]) => (
    <Card className="divide-y divide-line px-4">
      {names.map((n) => (
        <SettingRow key={n} name={n} without={`external_${id}_enabled`} />
      ))}
    </Card>
  )
  return (
    <>
      <PageHead above="providers" title={name} icon={<ProviderLogo id={id} name={name} />} />
      <div className="pl-3.5">
        <Steps>
          <Step title={t.steps.register(name)}>
            <p className="text-text-2">{known ? t.steps.create(known.app) : t.steps.createOwn}</p>
            {known && (
              <p>
                <a href={known.console.url} target="_blank" rel="noopener noreferrer" className="inline-flex items-center gap-1.5 text-accent hover:underline">
                  {known.console.label}
                  <ExternalLink className="size-4" strokeWidth={1.5} aria-hidden />
                </a>
              </p>
            )}
            {known?.note && <Notice>{known.note}</Notice>}
          </Step>
          <Step title={t.steps.callback}>
            <p className="text-text-2">{known ? t.steps.callbackText(known.callback) : t.steps.callbackTextOwn}</p>
            <Callback projectRef={ref} />
          </Step>
          <Step title={t.steps.client}>
            {rows(first)}
            {rest.length > 0 && (
              <details>
                <summary className="cursor-pointer text-sm text-text-2 hover:text-text">{t.more}</summary>
                <div className="mt-2">{rows(rest)}</div>
              </details>
            )}
          </Step>
          <Step title={t.steps.test}>
            <ProviderTest projectRef={ref} id={id} config={draft.values} />
          </Step>
          <Step title={t.steps.turnOn}>
            {rows(last)}
            <CodeBlock code={`await supabase.auth.signInWithOAuth({ provider: '${id}' })`} label="JavaScript" />
          </Step>
        </Steps>
      </div>
    </>
  )
}
