// What a TypeScript module says, whatever its layout: its tokens, without what
// only separates, quotes names or groups the element of a list.

/** Makes modules comparable. */
export function tokens(source) {
  const all = source.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\p{L}\p{N}_$]+|[^\s]/gu) ?? []
  const plain = all
    .map((t) => (t.startsWith("'") ? JSON.stringify(t.slice(1, -1)) : t))
    .filter((t) => t !== ',' && t !== ';')
    // A leading bar of a union, as in `= | A | B`.
    .filter((t, i, list) => t !== '|' || !['=', ':', '<'].includes(list[i - 1]))
    .map((t, i, list) => (/^"[A-Za-z_$][\w$]*"$/.test(t) && [':', '?'].includes(list[i + 1]) ? t.slice(1, -1) : t))
  // (T)[] is T[] where T is one name.
  const text = plain.join(' ')
  return text.replace(/\( ([^()|]*) \) \[ \]/g, '$1 [ ]').split(' ')
}

/** Gives the first place where two modules differ, or undefined. */
export function difference(a, b) {
  const [x, y] = [tokens(a), tokens(b)]
  const at = x.findIndex((t, i) => t !== y[i])
  if (at < 0 && x.length === y.length) return undefined
  const i = at < 0 ? x.length : at
  const around = (list) => list.slice(Math.max(0, i - 20), i + 15).join(' ')
  return `${around(x)}\n--- but ---\n${around(y)}`
}
