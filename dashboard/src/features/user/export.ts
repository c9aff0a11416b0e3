import { useMutation } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { refusalOf } from '@/lib/api/error'
import { sessionFetch } from '@/lib/session'
import { filterOf, type UsersSearch } from './search'

export type Format = 'csv' | 'ndjson'

/** How many users a request answers; after as many there may be more. */
export const most = 100_000

/** The number of records of a part of an export, and the id of the last one. */
export function lastOf(text: string, format: Format): { count: number; id: string } {
  let [count, start, quoted] = [0, 0, false]
  let begin = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34 && format === 'csv') quoted = !quoted
    else if (c === 10 && !quoted) {
      count++
      ;[start, begin] = [begin, i + 1]
    }
  }
  const record = text.slice(start, begin)
  if (format === 'csv') return { count: count - 1, id: count > 1 ? (record.split(',', 1)[0] ?? '') : '' }
  return { count, id: count > 0 ? (JSON.parse(record) as { id: string }).id : '' }
}

/** Receives all users of a search, a part after the other, and hands a file to the browser. */
export function useExport(ref: string, search: UsersSearch) {
  const [received, setReceived] = useState(0)
  const stop = useRef<AbortController>(undefined)
  const run = useMutation({
    mutationFn: async (format: Format) => {
      stop.current = new AbortController()
      const parts: Blob[] = []
      let [all, after] = [0, '']
      setReceived(0)
      for (;;) {
        const query = new URLSearchParams({ format, limit: String(most), ...(after && { after }) })
        for (const [name, value] of Object.entries(filterOf(search))) query.set(name, String(value))
        const response = await sessionFetch(new Request(`/v1/projects/${encodeURIComponent(ref)}/auth/users/export?${query.toString()}`, { signal: stop.current.signal }))
        if (!response.ok) throw await refusalOf(response, await response.json().catch(() => undefined))
        const text = await response.text()
        const { count, id } = lastOf(text, format)
        parts.push(new Blob([format === 'csv' && all > 0 ? text.slice(text.indexOf('\n') + 1) : text]))
        all += count
        after = id
        setReceived(all)
        if (count < most) break
      }
      save(new Blob(parts, { type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' }), `users-${ref}.${format}`)
      return all
    },
  })
  return { ...run, received, stop: () => stop.current?.abort() }
}

function save(blob: Blob, name: string) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name })
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
