import { useEffect, useState } from 'react'
import { refreshSession } from '@/lib/session'
import { filtersOf, type LogEntry, type LogSearch } from './logs'
import { add, emptyTail, pause, resume, type Tail } from './tailbuffer'

/** How many entries a tail keeps. */
const bound = 1000

/** Entries come in bursts; the page is drawn at most this often. */
const drawMs = 250

/**
 * Follows a project's log from now on, while it is on. What matches the filters is
 * shown, or waits while paused. A connection that ends is made again, from the last
 * entry on: by the browser, or here when the session had to be continued.
 */
export function useTail(ref: string, search: LogSearch, on: boolean) {
  const [tail, setTail] = useState<Tail<LogEntry>>(emptyTail)
  const [failed, setFailed] = useState(false)
  const filters = JSON.stringify(filtersOf(search))
  useEffect(() => {
    setTail(emptyTail)
    setFailed(false)
    if (!on) return
    let stopped = false
    let source: EventSource | undefined
    let again: ReturnType<typeof setTimeout> | undefined
    let draw: ReturnType<typeof setTimeout> | undefined
    let fresh: LogEntry[] = []
    let last = ''
    const flush = () => {
      draw = undefined
      const came = fresh
      fresh = []
      setTail((before) => add(before, came, bound))
    }
    const connect = () => {
      if (stopped) return
      const query = new URLSearchParams(Object.entries(JSON.parse(filters) as Record<string, string>))
      if (last) query.set('after', last)
      source = new EventSource(`/v1/projects/${encodeURIComponent(ref)}/logs/tail?${query}`)
      source.onopen = () => setFailed(false)
      source.onmessage = (event: MessageEvent<string>) => {
        fresh.unshift(JSON.parse(event.data) as LogEntry)
        fresh.length = Math.min(fresh.length, bound)
        last = event.lastEventId || last
        draw ??= setTimeout(flush, drawMs)
      }
      const continued = (delay: number) => {
        clearTimeout(again)
        again = setTimeout(() => void refreshSession().catch(() => false).finally(connect), delay)
      }
      // The server ends a stream when its reader may not go on: mostly because the session is to be continued.
      source.addEventListener('end', () => {
        source?.close()
        setFailed(true)
        continued(0)
      })
      source.onerror = () => {
        setFailed(true)
        if (source?.readyState === EventSource.CLOSED) continued(3000) // refused rather than cut off
      }
    }
    connect()
    return () => {
      stopped = true
      source?.close()
      clearTimeout(again)
      clearTimeout(draw)
    }
  }, [ref, filters, on])
  return { ...tail, failed, pause: () => setTail(pause), resume: () => setTail((before) => resume(before, bound)) }
}
