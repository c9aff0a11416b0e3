// Numbers, times and durations for people, in their language and zone.
const number = new Intl.NumberFormat()
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

export const formatNumber = (n: number) => number.format(n)
export const formatCompact = (n: number) => compact.format(n)
const money = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'USD' })
const price = new Intl.NumberFormat(undefined, { style: 'currency', currency: 'USD', maximumFractionDigits: 6 })

/** "$28.33" of cents. */
export const formatMoney = (cents: number) => money.format(cents / 100)
/** "$0.00325" of a decimal number. */
export const formatPrice = (dollars: string) => price.format(Number(dollars))
export const formatExact = (at: string | Date) => exact.format(new Date(at))
export const formatDay = (at: string | Date) => day.format(new Date(at))

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** "4 min. ago", "in 2 hr." */
export function formatRelative(at: string | Date, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit)
  }
  return relative.format(0, 'second')
}

const durations: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** Seconds of "15m", "2h 30m" or "90"; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const compactText = text.replaceAll(/\s+/g, '').toLowerCase()
  if (/^\d+$/.test(compactText)) return Number(compactText)
  if (!/^(\d+[smhdw])+$/.test(compactText)) return undefined
  return [...compactText.matchAll(/(\d+)([smhdw])/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (durations[unit ?? ''] ?? 0), 0)
}

/** "2h 30m" of seconds. */
export function formatDuration(seconds: number): string {
  if (seconds === 0) return '0s'
  const parts: string[] = []
  let rest = seconds
  for (const [unit, size] of Object.entries(durations).reverse()) {
    const n = Math.floor(rest / size)
    if (n > 0) parts.push(`${n}${unit}`)
    rest -= n * size
  }
  return parts.join(' ')
}

const sizes = ['B', 'kB', 'MB', 'GB', 'TB']

export function formatBytes(bytes: number): string {
  const step = Math.min(sizes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  return `${number.format(Number((bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)))} ${sizes[step]}`
}

/** "3.1 ms" or "1.2 s" of milliseconds. */
export function formatMillis(ms: number): string {
  const [value, unit] = ms >= 1000 ? [ms / 1000, 's'] : [ms, 'ms']
  return `${number.format(Number(value.toFixed(value < 10 ? 1 : 0)))} ${unit}`
}
