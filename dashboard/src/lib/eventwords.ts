// What an event of a project's audit log or log is, in words.
import { events as t } from '@/strings/events'

type Told = { source: 'audit' | 'log'; code: string; level: 'info' | 'warning' | 'error'; message: string; detail?: unknown }

/** Why something was refused or failed. */
export const reasonOf = (code: string, message: string) => t.reasons[code] ?? (message.replace(/\.$/, '') || code.replaceAll('_', ' '))

/** Whether a member of the organization did it, not the user. */
const byMember = (detail: unknown) => typeof detail === 'object' && detail !== null && 'via' in detail && detail.via === 'management_api'

/** What happened, and whether it was done, refused or failed. */
export function wordsOf(e: Told): { text: string; kind: 'done' | 'refused' | 'failed' } {
  if (e.source === 'audit') {
    const words = (byMember(e.detail) && t.byMember[e.code]) || (t.done[e.code] ?? e.code.replaceAll('_', ' '))
    return { text: words.charAt(0).toUpperCase() + words.slice(1), kind: 'done' }
  }
  const why = reasonOf(e.code, e.message)
  const known = t.reasons[e.code] !== undefined
  if (e.level === 'error') return { text: known ? t.failed(why) : why, kind: 'failed' }
  return { text: known ? t.refused(why) : why, kind: 'refused' }
}
