import { Link, useRouterState } from '@tanstack/react-router'
import { SearchX } from 'lucide-react'
import { useEffect } from 'react'
import { buttonClass } from '@/components/button'
import { common } from '@/strings/common'

/** What stands at an address without a page: within the frame of the pages around it, if there are any. */
export function NotFound() {
  const path = useRouterState({ select: (s) => s.location.pathname })
  const t = common.notFound
  useEffect(() => {
    document.title = `${t.title} · ${common.product}`
  }, [t.title])
  return (
    <div className="mx-auto flex min-h-[70dvh] max-w-lg flex-col justify-center gap-4 px-4 py-12">
      <SearchX className="size-6 text-text-3" strokeWidth={1.5} aria-hidden />
      <div className="space-y-1">
        <h1 className="text-xl font-semibold">{t.title}</h1>
        <p className="text-text-2">{t.text}</p>
      </div>
      <p className="rounded border border-line bg-sunken px-3 py-1.5 font-mono text-sm break-all text-text-2">{path.slice(0, 200)}</p>
      <div>
        <Link to="/" className={buttonClass('primary')}>
          {common.toProjects}
        </Link>
      </div>
    </div>
  )
}
