import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import { useKeys } from '@/lib/keys'

const Palette = lazy(() => import('./palette'))
const event = 'reeve-palette'

export const openPalette = () => window.dispatchEvent(new Event(event))

/** Listens for the shortcuts of all pages, and loads the palette when it is first asked for. */
export function PaletteHost({ slug, projectRef }: { slug?: string; projectRef?: string }) {
  const [open, setOpen] = useState(false)
  const [used, setUsed] = useState(false)
  const navigate = useNavigate()
  useEffect(() => {
    const show = () => {
      setUsed(true)
      setOpen(true)
    }
    window.addEventListener(event, show)
    return () => window.removeEventListener(event, show)
  }, [])
  const handlers = useMemo(() => {
    const focusSearch = () => document.querySelector<HTMLInputElement>('main input[type="search"]')?.focus()
    const common: Record<string, () => void> = { 'mod+k': openPalette, '?': openPalette, '/': focusSearch }
    if (!projectRef) return common
    const go = (to: '/p/$ref' | '/p/$ref/users' | '/p/$ref/logs' | '/p/$ref/keys' | '/p/$ref/database' | '/p/$ref/inbox' | '/p/$ref/auth') => () => void navigate({ to, params: { ref: projectRef } })
    return { ...common, 'g h': go('/p/$ref'), 'g u': go('/p/$ref/users'), 'g l': go('/p/$ref/logs'), 'g k': go('/p/$ref/keys'), 'g d': go('/p/$ref/database'), 'g i': go('/p/$ref/inbox'), 'g a': go('/p/$ref/auth') }
  }, [navigate, projectRef])
  useKeys(handlers)
  return used ? (
    <Suspense fallback={null}>
      <Palette open={open} onOpenChange={setOpen} slug={slug} projectRef={projectRef} />
    </Suspense>
  ) : null
}
