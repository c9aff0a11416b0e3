import { Link } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import { ChevronRight, SearchX } from 'lucide-react'
import { buttonClass } from '@/components/button'
import { EmptyState } from '@/components/state'
import { settings as t } from '@/strings/settings'
import { pagesOf, titleOf } from './pages'
import { Sections } from './sections'
import { useSettings } from './settings'

type HeadProps = { title: string; description?: ReactNode; action?: ReactNode; icon?: ReactNode; /** The page above, by its id. */ above?: string }

/** The heading of a page of settings. */
export function PageHead({ title, description, action, icon, above }: HeadProps) {
  const { ref, sections } = useSettings()
  useEffect(() => {
    document.title = `${title} · Reeve`
  }, [title])
  return (
    <header className="mb-5 flex flex-wrap items-start justify-between gap-x-4 gap-y-3 pt-5 lg:pt-0">
      <div className="min-w-0">
        {above && (
          <nav aria-label="Breadcrumb" className="mb-0.5 flex items-center gap-1 text-sm text-text-2">
            <Link to="/p/$ref/auth/$page" params={{ ref, page: above }} className="hover:text-text">
              {titleOf(sections, above)}
            </Link>
            <ChevronRight className="size-3.5 text-text-3" strokeWidth={1.5} aria-hidden />
          </nav>
        )}
        <h1 className="flex items-center gap-3 text-xl font-semibold break-words">
          {icon}
          {title}
        </h1>
        {description && <p className="mt-1 max-w-prose text-text-2">{description}</p>}
      </div>
      {action && <div className="flex flex-wrap items-center gap-2">{action}</div>}
    </header>
  )
}

/** A page whose settings need no more than their rows. */
export function SettingsPage({ id }: { id: string }) {
  const { ref, sections } = useSettings()
  const page = pagesOf(sections)
    .flatMap((g) => g.pages)
    .find((p) => p.id === id)
  if (!page) {
    return (
      <>
        <PageHead title={t.pages[id]?.label ?? t.unknownPage} />
        <EmptyState
          icon={SearchX}
          title={t.nothingBuilt}
          action={
            <Link to="/p/$ref/auth/$page" params={{ ref, page: 'providers' }} className={buttonClass()}>
              {t.toProviders}
            </Link>
          }
        >
          {t.nothingBuiltText}
        </EmptyState>
      </>
    )
  }
  return (
    <>
      <PageHead title={titleOf(sections, id)} description={t.pages[id]?.description} />
      <Sections ids={page.sections} />
    </>
  )
}
