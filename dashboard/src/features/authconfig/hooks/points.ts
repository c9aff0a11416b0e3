// The steps at which a project's own code is called, and how what is called is written.
import { hooks as t, type Point } from '@/strings/hooks'

export type { Point }

/** All points, the ones that most apps need first. */
export const points: Point[] = ['custom_access_token', 'before_user_created', 'after_user_created', 'password_verification_attempt', 'mfa_verification_attempt']

export const pointOf = (text: string): Point | undefined => points.find((p) => p === text)

export const labelOfPoint = (point: Point) => t.points[point].label

/** The settings of a hook by their part. */
export const settingOf = (point: Point, part: 'enabled' | 'uri' | 'secrets' | 'mode') => `hook_${point}_${part}`

export type Kind = 'function' | 'url'

const functions = 'pg-functions://postgres/'

/** What kind of code an address calls; undefined for none. */
export const kindOf = (uri: string): Kind | undefined => (uri === '' ? undefined : uri.startsWith('pg-functions:') ? 'function' : 'url')

/** An address as a person writes it: schema.function for a function. */
export const shownUri = (uri: string) => (uri.startsWith(functions) ? uri.slice(functions.length).replace('/', '.') : uri)

/** The address of a function that was written as schema.function; without a schema it is one of public. */
export function functionUri(text: string): string {
  const name = text.trim().replace(/\(.*\)$/, '')
  if (name === '' || name.startsWith('pg-functions:')) return name
  const dot = name.indexOf('.')
  return functions + (dot < 0 ? `public/${name}` : `${name.slice(0, dot)}/${name.slice(dot + 1)}`)
}

/** A signing secret as Standard Webhooks has them: 32 random bytes. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return `v1,whsec_${btoa(String.fromCharCode(...bytes))}`
}
