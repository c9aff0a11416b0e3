import { ChevronRight } from 'lucide-react'
import { useEffect, type ReactNode } from 'react'
import { cx } from '@/lib/cx'

type Props = {
  title: string
  /** A sentence below the title. */
  description?: ReactNode
  /** The primary action of the page. */
  action?: ReactNode
  /** The pages above, as links. */
  crumbs?: ReactNode[]
  /** Full width, for tables; otherwise as wide as forms are. */
  wide?: boolean
  children: ReactNode
}

/** The frame of a page: breadcrumb, title, the one primary action, content. */
export function Page({ title, description, action, crumbs = [], wide, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Reeve`
  }, [title])
  return (
    <div className={cx('mx-auto w-full px-4 pt-5 pb-16 sm:px-8', wide ? 'max-w-[1600px]' : 'max-w-[1120px]')}>
      <header className="mb-5 flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0">
          {crumbs.length > 0 && (
            <nav aria-label="Breadcrumb" className="mb-0.5 flex flex-wrap items-center gap-1 text-sm text-text-2">
              {crumbs.map((crumb, i) => (
                <span key={i} className="flex min-w-0 items-center gap-1 [&_a]:hover:text-text">
                  {crumb}
                  <ChevronRight className="size-3.5 shrink-0 text-text-3" strokeWidth={1.5} aria-hidden />
                </span>
              ))}
            </nav>
          )}
          <h1 title={title.length > 60 ? title : undefined} className="line-clamp-3 text-xl font-semibold wrap-anywhere">{title}</h1>
          {description && <p className="mt-1 max-w-prose text-text-2">{description}</p>}
        </div>
        {action && <div className="flex flex-wrap items-center gap-2">{action}</div>}
      </header>
      {children}
    </div>
  )
}

/** A part of a page with a heading. */
export function Section({ title, description, action, children, id }: { title: string; description?: ReactNode; action?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section id={id} className="mb-10 scroll-mt-6" aria-labelledby={id && `${id}-title`}>
      <div className="mb-3 flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id={id && `${id}-title`} className="text-lg font-semibold">
            {title}
          </h2>
          {description && <p className="max-w-prose text-text-2">{description}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  )
}

/** A surface with a hairline around. */
export function Card({ className, children }: { className?: string; children: ReactNode }) {
  return <div className={cx('rounded border border-line bg-surface', className)}>{children}</div>
}

/** Names and values, one below the other. */
export function KeyValues({ children }: { children: ReactNode }) {
  return <dl className="divide-y divide-line py-1">{children}</dl>
}

export function KeyValue({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="grid gap-x-4 gap-y-0.5 py-2 sm:grid-cols-[180px_1fr]">
      <dt className="text-text-2">{label}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  )
}
