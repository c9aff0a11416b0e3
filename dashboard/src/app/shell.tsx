import { Outlet, useParams, useRouterState } from '@tanstack/react-router'
import { Menu as MenuIcon } from 'lucide-react'
import { Suspense, useEffect, useState } from 'react'
import icon from './icon.svg'
import { kept } from '@/lib/kept'
import { IconButton } from '@/components/button'
import { Sheet } from '@/components/dialog'
import { common } from '@/strings/common'
import { shell } from '@/strings/shell'
import { PaletteHost } from './palettehost'
import { PageSkeleton } from './pageskeleton'
import { Rail } from './rail'
import { SessionEnded } from './sessionended'

/** The frame of all pages of people who are signed in: rail, content, palette. */
export function Shell() {
  const [open, setOpen] = useState(false)
  const path = useRouterState({ select: (s) => s.location.pathname })
  const { slug, ref } = useParams({ strict: false })
  useEffect(() => setOpen(false), [path])
  useEffect(() => {
    if (slug) kept.set('org', slug)
  }, [slug])
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a href="#content" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded focus:bg-accent focus:px-3 focus:py-1.5 focus:text-accent-text">
        {common.skipToContent}
      </a>
      <header className="sticky top-0 z-20 flex h-12 items-center gap-2 border-b border-line bg-bg px-3 md:hidden">
        <IconButton icon={MenuIcon} label={common.menu} onClick={() => setOpen(true)} />
        <img src={icon} alt={common.product} className="size-6" />
      </header>
      <div className="sticky top-0 hidden h-dvh w-60 shrink-0 border-r border-line bg-bg md:block">
        <Rail slug={slug} projectRef={ref} />
      </div>
      <Sheet open={open} onOpenChange={setOpen} title={shell.main} side="left">
        <Rail slug={slug} projectRef={ref} inSheet />
      </Sheet>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
        <Suspense fallback={<PageSkeleton />}>
          <Outlet />
        </Suspense>
      </main>
      <PaletteHost slug={slug} projectRef={ref} />
      <SessionEnded />
    </div>
  )
}
