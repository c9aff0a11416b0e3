import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { ErrorNote } from '@/components/error'
import { Section } from '@/components/page'
import { Notice, Skeleton, Status } from '@/components/state'
import { customProviders as t } from '@/strings/customproviders'
import { providers } from '@/strings/providers'
import { ProviderLogo } from '@/components/providerlogo'
import { useSettings } from '../settings'
import { customProvidersQuery } from './customproviders'

/** The providers that the project defines itself, among the known ones. */
export function CustomProviders() {
  const { ref, readOnly, value } = useSettings()
  const list = useQuery(customProvidersQuery(ref))
  const off = value('custom_oauth_enabled') === false
  return (
    <Section
      title={t.title}
      description={t.text}
      action={
        !readOnly && (
          <Link to="/p/$ref/auth/providers/$provider" params={{ ref, provider: 'new' }} className={buttonClass()}>
            <Plus className="size-4" strokeWidth={1.5} aria-hidden />
            {t.add}
          </Link>
        )
      }
    >
      {off && <Notice tone="warn">{t.off}</Notice>}
      {list.error && <ErrorNote error={list.error} />}
      {list.isPending && <Skeleton className="h-14 w-80 max-w-full" />}
      {list.data?.length === 0 && <p className="text-text-2">{t.none}</p>}
      <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {list.data?.map((p) => (
          <li key={p.id} className="relative flex items-center gap-3 rounded border border-line bg-surface p-3 hover:border-line-strong">
            <ProviderLogo id={p.identifier} name={p.name} />
            <div className="min-w-0 flex-1">
              <Link to="/p/$ref/auth/providers/$provider" params={{ ref, provider: p.identifier }} dir="auto" className="block truncate font-medium after:absolute after:inset-0 after:rounded">
                {p.name}
              </Link>
              <span className="flex gap-2 text-sm text-text-2">
                <Status tone={p.enabled && !off ? 'ok' : 'neutral'}>{p.enabled ? providers.on : providers.ready}</Status>
                <span className="truncate font-mono">{p.identifier}</span>
              </span>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}
