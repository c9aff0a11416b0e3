import { users as t } from '@/strings/users'

type Json = Record<string, unknown>

/** The object of a text; an empty text is an empty object. */
export function parseObject(text: string): { value: Json; error?: undefined } | { value?: undefined; error: string } {
  if (!text.trim()) return { value: {} }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { error: t.json.object }
    return { value: value as Json }
  } catch (error) {
    return { error: t.json.invalid(error instanceof Error ? error.message : String(error)) }
  }
}

/** The line, from 1, at which a text stops being JSON; undefined if it is JSON, or the browser does not say. */
export function faultLine(text: string): number | undefined {
  try {
    if (text.trim()) JSON.parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    const line = /line (\d+)/.exec(message)?.[1]
    if (line) return Number(line)
    const at = /position (\d+)/.exec(message)?.[1]
    if (/end of JSON/.test(message)) return text.trimEnd().split('\n').length
    if (at) return text.slice(0, Math.min(Number(at), text.trimEnd().length)).split('\n').length
    // Chromium quotes the text around a stray token instead of saying where it is, if the text is short.
    const token = /^Unexpected token '(.)'/su.exec(message)?.[1]
    return token && text.split(token).length === 2 ? text.slice(0, text.indexOf(token)).split('\n').length : undefined
  }
}

/** Metadata as an editor shows it. */
export const show = (metadata: unknown) => JSON.stringify(metadata ?? {}, null, 2)

/** The members to send so that before becomes after: those that differ, and null for those that go. */
export function mergePatch(before: Json, after: Json): Json {
  const patch: Json = {}
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!Object.hasOwn(after, name)) patch[name] = null
    else if (!Object.hasOwn(before, name) || !same(before[name], after[name])) patch[name] = after[name]
  }
  return patch
}

/** Whether two values of JSON are equal; the order of members does not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  const [x, y] = [a as Json, b as Json]
  const names = Object.keys(x)
  return names.length === Object.keys(y).length && names.every((name) => Object.hasOwn(y, name) && same(x[name], y[name]))
}
