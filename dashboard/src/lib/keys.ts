// Keyboard shortcuts: single keys and pairs such as "g u", where no field has the
// focus, and combinations with Ctrl or ⌘ everywhere.
import { useEffect } from 'react'

const editable = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))

/** Calls handlers by key: "mod+k", "g u", "/", "?". */
export function useKeys(handlers: Record<string, () => void>) {
  useEffect(() => {
    let first = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const press = (event: KeyboardEvent) => {
      const mod = event.ctrlKey || event.metaKey
      if (event.altKey || (!mod && editable(event.target)) || (!mod && document.querySelector('[role="dialog"]'))) return
      const name = mod ? `mod+${event.key.toLowerCase()}` : event.key
      const pair = first ? `${first} ${name}` : ''
      const handler = handlers[pair] ?? handlers[name]
      clearTimeout(timer)
      first = !mod && !pair && Object.keys(handlers).some((key) => key.startsWith(`${name} `)) ? name : ''
      timer = setTimeout(() => (first = ''), 1000)
      if (!handler) return
      event.preventDefault()
      first = ''
      handler()
    }
    window.addEventListener('keydown', press)
    return () => {
      window.removeEventListener('keydown', press)
      clearTimeout(timer)
    }
  }, [handlers])
}
