// Values of a result as texts.

/** One line for a cell; the whole value is shown elsewhere. */
export function lineText(value: unknown): string {
  const text = wholeText(value)
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}

/** The whole value: texts as they are, other values as JSON. */
export const wholeText = (value: unknown) => (value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value))

const field = (value: unknown) => {
  if (value === null) return ''
  const text = wholeText(value)
  return text === '' || /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

/** CSV as RFC 4180 has it, with a header. NULL is nothing, an empty text is "". */
export const csv = (columns: string[], rows: unknown[][]) => [columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')

/** A row as an object; of columns with the same name each gets one of its own. */
export function objectOf(columns: string[], row: unknown[]): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  columns.forEach((name, i) => {
    let key = name
    for (let n = 2; Object.hasOwn(out, key); n++) key = `${name}_${n}`
    Object.defineProperty(out, key, { value: row[i], enumerable: true })
  })
  return out
}

const numeric = /^(int[248]|float[48]|numeric|oid|money)$/

/** Whether values of a type stand at the right. */
export const isNumeric = (type: string) => numeric.test(type)
