import type { Check } from '@/components/steps'
import type { Schema } from '@/lib/api/client'
import { smtp as t } from '@/strings/smtp'

/** The steps of a delivery in words. */
export const stepsOf = (steps: Schema<'AuthconfigStep'>[]): Check[] => steps.map((s) => ({ name: t.steps[s.name] ?? s.name, status: s.status, detail: s.detail }))
