import { Link, useRouterState, type LinkProps } from '@tanstack/react-router'
import { Tabs as Radix } from 'radix-ui'
import { useEffect, useRef, type ReactNode } from 'react'

const tab = 'flex h-9 items-center border-b-2 border-transparent px-1 text-text-2 hover:text-text whitespace-nowrap'

/** Scrolls a row of links so that the page that is shown is in its middle; nothing else moves. */
function useCurrentInSight(links: number) {
  const nav = useRef<HTMLElement>(null)
  const path = useRouterState({ select: (s) => s.location.pathname })
  useEffect(() => {
    const row = nav.current
    const current = row?.querySelector('[aria-current]')
    if (!row || !current) return
    const [outer, inner] = [row.getBoundingClientRect(), current.getBoundingClientRect()]
    row.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2)
  }, [path, links])
  return nav
}

/** Tabs that are pages: each has an address. */
export function TabLinks({ label, tabs }: { label: string; tabs: (LinkProps & { label: string; exact?: boolean })[] }) {
  const nav = useCurrentInSight(tabs.length)
  return (
    <nav ref={nav} aria-label={label} className="mb-5 flex gap-4 overflow-x-auto border-b border-line">
      {tabs.map(({ label, exact, ...link }) => (
        <Link key={label} {...link} activeOptions={{ exact: exact ?? false, includeSearch: false }} className={tab} activeProps={{ className: 'border-accent! text-text! font-medium' }}>
          {label}
        </Link>
      ))}
    </nav>
  )
}

type SideLink = LinkProps & { label: string }

/** The pages of an area, by group: a column beside the content; on narrow screens a row above it. */
export function SideLinks({ label, groups }: { label: string; groups: { label: string; links: SideLink[] }[] }) {
  const nav = useCurrentInSight(groups.flatMap((g) => g.links).length)
  return (
    <nav ref={nav} aria-label={label} className="flex gap-3 overflow-x-auto border-b border-line pb-2 lg:sticky lg:top-5 lg:w-44 lg:shrink-0 lg:flex-col lg:gap-4 lg:self-start lg:overflow-visible lg:border-0 lg:pb-0">
      {groups.map((group) => (
        <div key={group.label} className="shrink-0">
          <p className="hidden px-2 pb-1 text-xs font-medium text-text-3 lg:block">{group.label}</p>
          <ul className="flex gap-0.5 lg:flex-col">
            {group.links.map(({ label, ...link }) => (
              <li key={label}>
                <Link {...link} activeOptions={{ includeSearch: false }} className="block rounded px-2 py-1 whitespace-nowrap text-text-2 hover:bg-sunken hover:text-text" activeProps={{ className: 'bg-sunken text-text! font-medium' }}>
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}

/** Tabs within a page. Keep the value in the address where a link should show it. */
export function Tabs({ label, value, onChange, tabs }: { label: string; value: string; onChange: (value: string) => void; tabs: { value: string; label: string; content: ReactNode }[] }) {
  return (
    <Radix.Root value={value} onValueChange={onChange}>
      <Radix.List aria-label={label} className="mb-3 flex gap-4 overflow-x-auto border-b border-line">
        {tabs.map((t) => (
          <Radix.Trigger key={t.value} value={t.value} className={`${tab} data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-text`}>
            {t.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((t) => (
        <Radix.Content key={t.value} value={t.value}>
          {t.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  )
}
