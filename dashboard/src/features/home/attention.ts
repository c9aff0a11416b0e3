// The one thing of a project that needs attention: what does not work comes before what
// is dangerous, and that before what is unwise.
import type { Schema } from '@/lib/api/client'
import { home as t } from '@/strings/home'
import type { Lint } from './advisors'

export type Service = Schema<'ProjectServiceHealth'>
export type Concern = { tone: 'danger' | 'warn'; text: string; detail: string; link: 'logs' | 'auth' | 'database'; code?: string }

const danger = (lint: Lint) => lint.level === 'ERROR'

/** Where a finding is mended. */
export const linkOf = (lint: Lint): 'auth' | 'database' => (lint.metadata.type === 'auth' ? 'auth' : 'database')

/** All concerns, the worst first. */
export function concernsOf(services: Service[], lints: Lint[]): Concern[] {
  const findings = services.flatMap((s) => s.findings ?? []).filter((f) => f.level !== 'info')
  const ofFinding = (f: Schema<'ProjectFinding'>): Concern => ({ tone: f.level === 'error' ? 'danger' : 'warn', text: f.message, detail: '', link: 'logs', code: f.last_at ? f.code : undefined })
  const ofLint = (l: Lint): Concern => ({ tone: danger(l) ? 'danger' : 'warn', text: l.title, detail: l.detail, link: linkOf(l) })
  return [
    ...services.filter((s) => s.status === 'UNHEALTHY').map((s): Concern => ({ tone: 'danger', text: t.attention.unhealthy(t.health.services[s.name] ?? s.name, s.error ?? ''), detail: '', link: 'logs' })),
    ...findings.filter((f) => f.level === 'error').map(ofFinding),
    ...lints.filter(danger).map(ofLint),
    ...findings.filter((f) => f.level !== 'error').map(ofFinding),
    ...lints.filter((l) => l.level === 'WARN').map(ofLint),
  ]
}
