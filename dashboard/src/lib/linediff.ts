// What changed between two texts, line by line.
export type Line = { kind: 'same' | 'gone' | 'new'; text: string }
export type Hunk = { skipped: number } | Line

const context = 2
const most = 2000

/** The lines of both texts; runs of the same lines are folded, but for two beside a change. */
export function lineDiff(before: string, after: string): Hunk[] {
  const a = before === '' ? [] : before.split('\n')
  const b = after === '' ? [] : after.split('\n')
  return fold(a.length > most || b.length > most ? [...all('gone', a), ...all('new', b)] : compare(a, b))
}

const all = (kind: Line['kind'], lines: string[]): Line[] => lines.map((text) => ({ kind, text }))

/** The longest common subsequence, by dynamic programming between the common ends. */
function compare(a: string[], b: string[]): Line[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const x = a.slice(head, a.length - tail)
  const y = b.slice(head, b.length - tail)
  const width = y.length + 1
  const longest = new Uint16Array((x.length + 1) * width)
  const at = (i: number, j: number) => longest[i * width + j] ?? 0
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) longest[i * width + j] = x[i] === y[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const out = all('same', a.slice(0, head))
  let i = 0
  let j = 0
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      out.push({ kind: 'same', text: x[i] ?? '' })
      i++
      j++
    } else if (j >= y.length || (i < x.length && at(i + 1, j) >= at(i, j + 1))) out.push({ kind: 'gone', text: x[i++] ?? '' })
    else out.push({ kind: 'new', text: y[j++] ?? '' })
  }
  return [...out, ...all('same', a.slice(a.length - tail))]
}

function fold(lines: Line[]): Hunk[] {
  const near = (i: number) => lines.slice(Math.max(0, i - context), i + context + 1).some((line) => line.kind !== 'same')
  const out: Hunk[] = []
  for (const [i, line] of lines.entries()) {
    const last = out.at(-1)
    if (near(i)) out.push(line)
    else if (last && 'skipped' in last) last.skipped++
    else out.push({ skipped: 1 })
  }
  return out
}
