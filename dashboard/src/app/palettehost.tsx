import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import { useKeys } from '@/lib/keys'
import { projectPages } from './projectpages'
import { Shortcuts } from './shortcuts'

const Palette = lazy(() => import('./palette'))
const event = 'reeve-palette'

export const openPalette = () => window.dispatchEvent(new Event(event))

/** Listens for the shortcuts of all pages, and loads the palette when it is first asked for. */
export function PaletteHost({ slug, projectRef }: { slug?: string; projectRef?: string }) {
  const [open, setOpen] = useState(false)
  const [used, setUsed] = useState(false)
  const [shortcuts, setShortcuts] = useState(false)
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
    const all: Record<string, () => void> = { 'mod+k': openPalette, '?': () => setShortcuts(true), '/': focusSearch }
    if (slug) all['g p'] = () => void navigate({ to: '/orgs/$slug', params: { slug } })
    else all['g p'] = () => void navigate({ to: '/' })
    if (projectRef) {
      for (const [to, , keys] of projectPages) all[keys] = () => void navigate({ to, params: { ref: projectRef } })
    }
    return all
  }, [navigate, slug, projectRef])
  useKeys(handlers)
  return (
    <>
      {used && (
        <Suspense fallback={null}>
          <Palette open={open} onOpenChange={setOpen} onShortcuts={() => setShortcuts(true)} slug={slug} projectRef={projectRef} />
        </Suspense>
      )}
      <Shortcuts open={shortcuts} onOpenChange={setShortcuts} />
    </>
  )
}
