import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { useRef, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react'
import { common } from '@/strings/common'
import { cx } from '@/lib/cx'
import { formatNumber } from '@/lib/format'
import { Button } from './button'
import { Checkbox } from './input'
import { Skeleton } from './state'

export type Column<Row> = {
  id: string
  header: string
  cell: (row: Row) => ReactNode
  /** A width as CSS has it, such as "120px" or "minmax(200px,2fr)". */
  width?: string
  /** The same on a phone; "hidden" for what a row's panel shows there. */
  narrow?: string
  align?: 'right'
  /** Whether the server sorts by it. */
  sortable?: boolean
}

export type Sort = { by: string; descending: boolean }

type Props<Row> = {
  label: string
  columns: Column<Row>[]
  /** undefined while the first rows are on their way. */
  rows: Row[] | undefined
  rowKey: (row: Row) => string
  /** Opens a row: by click, and by Enter. */
  onOpen?: (row: Row) => void
  /** The actions of a row, at its end. */
  rowMenu?: (row: Row) => ReactNode
  sort?: Sort
  onSort?: (sort: Sort) => void
  selection?: ReadonlySet<string>
  onSelect?: (selection: Set<string>) => void
  /** Loads the rows after these; undefined when there are none. */
  onMore?: () => void
  loadingMore?: boolean
  total?: number
  totalIsEstimate?: boolean
  /** What stands in place of rows when there are none. */
  empty: ReactNode
  /** The height of the rows' area; the page's by default. */
  maxHeight?: string
}

const rowHeight = 36

/**
 * The one table: rows of a server's cursor, drawn only where they are visible, so
 * that ten thousand stay smooth. Arrow keys move between rows, Enter opens, Space
 * selects.
 */
export function Table<Row>(p: Props<Row>) {
  const scroller = useRef<HTMLDivElement>(null)
  const rows = p.rows ?? []
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 12 })
  const selectable = p.selection !== undefined && p.onSelect !== undefined
  const template = (widths: (string | undefined)[]) => [selectable && '36px', ...widths.map((width) => width ?? 'minmax(120px,1fr)'), p.rowMenu && '44px'].filter(Boolean).join(' ')
  const templates = { '--columns': template(p.columns.map((c) => c.width)), '--columns-narrow': template(p.columns.filter((c) => c.narrow !== 'hidden').map((c) => c.narrow ?? c.width)) }
  const line = 'grid items-center [grid-template-columns:var(--columns-narrow)] sm:[grid-template-columns:var(--columns)]'

  if (p.rows && rows.length === 0) return <div className="rounded border border-line bg-surface">{p.empty}</div>

  const toggle = (key: string) => {
    const next = new Set(p.selection)
    if (!next.delete(key)) next.add(key)
    p.onSelect?.(next)
  }
  const keys = (event: KeyboardEvent<HTMLDivElement>, row: Row, index: number) => {
    if (event.target !== event.currentTarget) return
    const step = event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      const next = Math.min(rows.length - 1, Math.max(0, index + step))
      virtual.scrollToIndex(next)
      requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus())
    } else if (event.key === 'Enter') p.onOpen?.(row)
    else if (event.key === ' ' && selectable) {
      event.preventDefault()
      toggle(p.rowKey(row))
    }
  }
  const all = rows.length > 0 && rows.every((row) => p.selection?.has(p.rowKey(row)))

  return (
    <div className="overflow-hidden rounded border border-line bg-surface" style={templates as CSSProperties}>
      {/* Rows that open or are selected are stops of the keyboard; else the table is one, to scroll it. */}
      <div ref={scroller} {...(p.onOpen || selectable ? {} : { tabIndex: 0, role: 'group', 'aria-label': p.label })} className="overflow-auto -outline-offset-2" style={{ maxHeight: p.maxHeight ?? 'max(320px, calc(100dvh - 260px))' }}>
        <div role="table" aria-label={p.label} aria-rowcount={p.total ?? rows.length} aria-busy={p.rows === undefined} className="min-w-max sm:min-w-full">
          <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface">
            <div role="row" className={cx(line, 'h-9 text-sm text-text-2')}>
              {selectable && (
                <div role="columnheader" className="flex justify-center">
                  <Checkbox aria-label={common.selectAll} checked={all ? true : (p.selection?.size ?? 0) > 0 ? 'indeterminate' : false} onCheckedChange={() => p.onSelect?.(all ? new Set() : new Set(rows.map(p.rowKey)))} />
                </div>
              )}
              {p.columns.map((c) => {
                const active = p.sort?.by === c.id
                const Arrow = p.sort?.descending ? ArrowDown : ArrowUp
                return (
                  <div key={c.id} role="columnheader" aria-sort={active ? (p.sort?.descending ? 'descending' : 'ascending') : undefined} className={cx('min-w-0 truncate px-3', c.align === 'right' && 'text-right', c.narrow === 'hidden' && 'max-sm:hidden')}>
                    {c.sortable && p.onSort ? (
                      <button type="button" className="inline-flex items-center gap-1 hover:text-text" onClick={() => p.onSort?.({ by: c.id, descending: active ? !p.sort?.descending : true })}>
                        {c.header}
                        {active && <Arrow className="size-3.5" strokeWidth={1.5} aria-hidden />}
                      </button>
                    ) : (
                      c.header
                    )}
                  </div>
                )
              })}
              {p.rowMenu && <div role="columnheader" aria-label={common.more} />}
            </div>
          </div>
          {p.rows === undefined ? (
            <div role="rowgroup" aria-label={common.loading}>
              {Array.from({ length: 8 }, (_, i) => (
                <div key={i} role="row" className={cx(line, 'h-9 border-b border-line last:border-0')}>
                  {selectable && <div role="cell" />}
                  {p.columns.map((c) => (
                    <div key={c.id} role="cell" className={cx('px-3', c.narrow === 'hidden' && 'max-sm:hidden')}>
                      <Skeleton className="h-3 w-2/3" />
                    </div>
                  ))}
                </div>
              ))}
            </div>
          ) : (
            <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
              {virtual.getVirtualItems().map((item) => {
                const row = rows[item.index] as Row
                const key = p.rowKey(row)
                return (
                  <div
                    key={key}
                    role="row"
                    aria-rowindex={item.index + 2}
                    aria-selected={selectable ? p.selection?.has(key) : undefined}
                    data-index={item.index}
                    tabIndex={p.onOpen || selectable ? 0 : undefined}
                    onClick={p.onOpen && (() => p.onOpen?.(row))}
                    onKeyDown={(event) => keys(event, row, item.index)}
                    className={cx(line, 'absolute inset-x-0 h-9 border-b border-line -outline-offset-2', p.onOpen && 'cursor-pointer hover:bg-sunken', p.selection?.has(key) && 'bg-accent-soft')}
                    style={{ transform: `translateY(${item.start}px)` }}
                  >
                    {selectable && (
                      <div role="cell" className="flex h-full items-center justify-center" onClick={(e) => e.stopPropagation()}>
                        <Checkbox aria-label={common.selectRow} checked={p.selection?.has(key) ?? false} onCheckedChange={() => toggle(key)} />
                      </div>
                    )}
                    {p.columns.map((c) => (
                      <div key={c.id} role="cell" className={cx('min-w-0 truncate px-3', c.align === 'right' && 'tabular text-right', c.narrow === 'hidden' && 'max-sm:hidden')}>
                        {c.cell(row)}
                      </div>
                    ))}
                    {p.rowMenu && (
                      <div role="cell" className="flex justify-center" onClick={(e) => e.stopPropagation()}>
                        {p.rowMenu(row)}
                      </div>
                    )}
                  </div>
                )
              })}
            </div>
          )}
        </div>
      </div>
      <div className="flex min-h-9 items-center gap-3 border-t border-line px-3 text-sm text-text-2">
        <span className="flex-1">{p.rows && common.showing(formatNumber(rows.length), p.total === undefined ? undefined : formatNumber(p.total), p.totalIsEstimate)}</span>
        {p.onMore && (
          <Button size="small" kind="quiet" busy={p.loadingMore} onClick={p.onMore}>
            {common.loadMore}
          </Button>
        )}
      </div>
    </div>
  )
}

/** Acts on the selected rows; stands above the table while there are any. */
export function BulkBar({ count, onClear, children }: { count: number; onClear: () => void; children: ReactNode }) {
  if (count === 0) return null
  return (
    <div role="region" aria-label={common.selected(count)} className="mb-2 flex flex-wrap items-center gap-2 rounded border border-accent bg-accent-soft px-3 py-1.5">
      <span className="flex-1 font-medium">{common.selected(count)}</span>
      {children}
      <Button size="small" kind="quiet" onClick={onClear}>
        {common.clearSelection}
      </Button>
    </div>
  )
}
