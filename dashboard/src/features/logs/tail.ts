import { useEffect, useState } from 'react'
import { answer, api } from '@/lib/api/client'
import { filtersOf, type LogEntry, type LogSearch } from './logs'
import { add, emptyTail, pause, resume, type Tail } from './tailbuffer'

/** How many entries a tail keeps. */
const bound = 1000
const everyMs = 1500

/**
 * Follows a project's log from now on, while it is on and the page is visible. What
 * matches the filters is shown, or waits while paused.
 */
export function useTail(ref: string, search: LogSearch, on: boolean) {
  const [tail, setTail] = useState<Tail<LogEntry>>(emptyTail)
  const [failed, setFailed] = useState(false)
  const filters = JSON.stringify(filtersOf(search))
  useEffect(() => {
    setTail(emptyTail)
    setFailed(false)
    if (!on) return
    const stop = new AbortController()
    const query = JSON.parse(filters) as ReturnType<typeof filtersOf>
    let last: string | undefined
    const since = new Date().toISOString()
    let timer: ReturnType<typeof setTimeout>
    const poll = async () => {
      try {
        if (document.visibilityState === 'visible') {
          const position = last === undefined ? { since } : { after: last }
          const page = await answer(api.GET('/v1/projects/{ref}/logs', { params: { path: { ref }, query: { ...query, ...position, limit: 500 } }, signal: stop.signal }))
          const fresh = [...(page.logs ?? [])].sort((a, b) => b.at.localeCompare(a.at))
          last = fresh[0]?.id ?? last
          setTail((before) => add(before, fresh, bound))
          setFailed(false)
        }
      } catch {
        if (stop.signal.aborted) return
        setFailed(true)
      }
      timer = setTimeout(() => void poll(), everyMs)
    }
    void poll()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [ref, filters, on])
  return { ...tail, failed, pause: () => setTail(pause), resume: () => setTail((before) => resume(before, bound)) }
}
