// The settings of a project with the changes that are not saved yet, for all pages
// that show some of them.
import { useQuery } from '@tanstack/react-query'
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import { ErrorState } from '@/components/error'
import { Skeleton } from '@/components/state'
import { asApiError, type ApiError } from '@/lib/api/error'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { common } from '@/strings/common'
import { configQuery, type Values } from './config'
import { descriptionQuery, type Section, type Setting } from './description'
import { edit, useDraft, type Draft } from './draft'
import { previewQuery } from './preview'

export type Settings = {
  ref: string
  version: number
  saved: Values
  draft: Draft
  sections: Section[]
  /** What the server says of the changes. */
  warnings: string[]
  refusal: ApiError | undefined
  /** Whether the person may not change them. */
  readOnly: boolean
  setting: (name: string) => Setting | undefined
  /** The value with the changes. */
  value: (name: string) => unknown
  set: (changed: Values) => void
  error: (name: string) => string | undefined
}

const Context = createContext<Settings | null>(null)

export function useSettings(): Settings {
  const found = useContext(Context)
  if (!found) throw new Error('settings are shown without their provider')
  return found
}

/** The setting that a refusal is about, and what it says. */
export function faultOf(error: ApiError | undefined): { name: string; text: string } | undefined {
  const found = error?.status === 400 ? /^([a-z0-9_]+): (.+)$/s.exec(error.message) : null
  return found ? { name: found[1] ?? '', text: found[2] ?? '' } : undefined
}

/** The value, after it has rested for a moment. */
export function useRested<T>(value: T, ms = 350): T {
  const [rested, rest] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => rest(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return rested
}

export function SettingsProvider({ projectRef: ref, children }: { projectRef: string; children: ReactNode }) {
  const config = useQuery(configQuery(ref))
  const description = useQuery(descriptionQuery(ref))
  const permissions = useQuery(projectPermissionsQuery(ref))
  const draft = useDraft(ref)
  const rested = useRested(draft)
  const preview = useQuery(previewQuery(ref, config.data?.version ?? 0, rested.revision, rested.values))
  const current = rested.revision === draft.revision
  const sections = useMemo(() => description.data?.sections ?? [], [description.data])
  const byName = useMemo(() => new Map(sections.flatMap((s) => (s.settings ?? []).map((one) => [one.name, one]))), [sections])

  const failed = config.error ?? description.error
  if (failed && !(config.data && description.data)) {
    return <ErrorState error={failed} onRetry={() => void Promise.all([config.refetch(), description.refetch()])} />
  }
  if (!config.data || !description.data) return <SettingsSkeleton />

  const now = config.data
  const refusal = preview.error ? asApiError(preview.error) : undefined
  const fault = faultOf(refusal)
  const readOnly = permissions.data !== undefined && !may(permissions.data, 'auth_config:write')
  const settings: Settings = {
    ref,
    version: now.version,
    saved: now.values,
    draft,
    sections,
    warnings: current ? (preview.data?.warnings ?? []) : [],
    refusal,
    readOnly,
    setting: (name) => byName.get(name),
    value: (name) => (name in draft.values ? draft.values[name] : now.values[name]),
    set: (changed) => !readOnly && edit(ref, now, changed),
    error: (name) => (fault?.name === name ? fault.text : undefined),
  }
  return <Context value={settings}>{children}</Context>
}

/** Rows of settings on their way. */
export function SettingsSkeleton() {
  return (
    <div role="status" aria-label={common.loading} className="divide-y divide-line">
      {Array.from({ length: 5 }, (_, i) => (
        <div key={i} className="grid gap-8 py-4 sm:grid-cols-2">
          <div className="space-y-2">
            <Skeleton className="h-4 w-40" />
            <Skeleton className="h-3 w-64 max-w-full" />
          </div>
          <Skeleton className="h-8 w-full" />
        </div>
      ))}
    </div>
  )
}
