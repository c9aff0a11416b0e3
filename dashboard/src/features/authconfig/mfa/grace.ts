import { formatExact } from '@/lib/format'

/**
 * What is said of the time in which users of before the policy enroll a factor: when it
 * begins, until when it is, or when it was over. undefined while the policy has no
 * beginning that can be read.
 */
export function enrollUntil(since: unknown, days: unknown, now: number): { say: 'begins' | 'until' | 'over'; at: string } | undefined {
  const begun = typeof since === 'string' ? Date.parse(since) : Number.NaN
  if (Number.isNaN(begun) || typeof days !== 'number') return undefined
  const end = begun + days * 86_400_000
  if (begun > now && days === 0) return { say: 'begins', at: formatExact(new Date(begun)) }
  return { say: end > now ? 'until' : 'over', at: formatExact(new Date(end)) }
}
