// The search of an address: what is not valid is left out, because links come from
// anywhere. Built on zod's small core, which every first load carries.
import * as z from 'zod/mini'

const lenient = <Type extends z.ZodMiniType>(type: Type) => z.catch(z.optional(type), undefined)

export const searchOf = z.object
export const text = (most = 200) => lenient(z.string().check(z.maxLength(most)))
export const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) => lenient(z.enum(values))
export const flag = () => lenient(z.boolean())
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) => lenient(z.int().check(z.minimum(least), z.maximum(most)))
export const id = () => lenient(z.uuid())
/** A text that looks like a number in the address. */
export const digits = (most: number) => lenient(z.union([z.string().check(z.maxLength(most)), z.pipe(z.number(), z.transform(String))]))
