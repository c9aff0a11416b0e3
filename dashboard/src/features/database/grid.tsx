import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { cx } from '@/lib/cx'
import { formatNumber } from '@/lib/format'
import { database } from '@/strings/database'
import { isNumeric, lineText, wholeText } from './values'

const t = database.result
const rowHeight = 32
const numberWidth = 56

export type Cell = { row: number; column: number }

type Props = { columns: { name: string; type: string }[]; rows: unknown[][]; cell: Cell; onCell: (cell: Cell) => void; /** Shows the whole value: by double click and by Enter. */ onOpen: () => void }

/**
 * The rows of a result, drawn only where they are visible, in both directions. Arrow
 * keys move between cells, Ctrl-C copies one, Enter shows the whole value.
 */
export function ResultGrid({ columns, rows, cell, onCell, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState(false)
  const widths = useMemo(() => columns.map((c, i) => Math.min(420, Math.max(90, 28 + 7.6 * Math.max(c.name.length, c.type.length, ...rows.slice(0, 60).map((row) => lineText(row[i]).length))))), [columns, rows])
  const vertical = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: 10, scrollPaddingStart: 44 })
  const horizontal = useVirtualizer({ horizontal: true, count: columns.length, getScrollElement: () => scroller.current, estimateSize: (i) => widths[i] ?? 120, overscan: 3, paddingStart: numberWidth })

  const keys = (event: KeyboardEvent<HTMLDivElement>) => {
    const page = 15
    const steps: Record<string, [number, number]> = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0], Home: [0, -columns.length], End: [0, columns.length] }
    const step = steps[event.key]
    if (step) {
      event.preventDefault()
      const next = { row: Math.min(rows.length - 1, Math.max(0, cell.row + step[0])), column: Math.min(columns.length - 1, Math.max(0, cell.column + step[1])) }
      onCell(next)
      vertical.scrollToIndex(next.row)
      horizontal.scrollToIndex(next.column)
    } else if (event.key === 'Enter') onOpen()
    else if ((event.ctrlKey || event.metaKey) && event.key === 'c' && !window.getSelection()?.toString()) void navigator.clipboard.writeText(wholeText(rows[cell.row]?.[cell.column]))
  }

  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={t.grid}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length + 1}
      aria-activedescendant={`cell-${cell.row}-${cell.column}`}
      tabIndex={0}
      onKeyDown={keys}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="max-h-[56dvh] min-h-32 overflow-auto rounded border border-line bg-surface -outline-offset-2"
    >
      <div className="relative" style={{ width: horizontal.getTotalSize(), height: vertical.getTotalSize() + 44 }}>
        <div role="row" aria-rowindex={1} className="sticky top-0 z-10 h-11 border-b border-line bg-sunken">
          <div role="columnheader" aria-colindex={1} aria-label={t.rowNumber} className="sticky left-0 z-10 h-full border-r border-line bg-sunken" style={{ width: numberWidth }} />
          {horizontal.getVirtualItems().map((c) => (
            <div key={c.index} role="columnheader" aria-colindex={c.index + 2} className="absolute top-0 h-full border-r border-line px-2 py-1" style={{ left: c.start, width: c.size }}>
              <span className="block truncate text-sm leading-4 font-medium" dir="auto" title={columns[c.index]?.name}>
                {columns[c.index]?.name}
              </span>
              <span className="block truncate font-mono text-xs text-text-2">{columns[c.index]?.type}</span>
            </div>
          ))}
        </div>
        {vertical.getVirtualItems().map((r) => (
          <div key={r.index} role="row" aria-rowindex={r.index + 2} className="absolute left-0 border-b border-line" style={{ top: 44 + r.start, height: rowHeight, width: horizontal.getTotalSize() }}>
            <div role="rowheader" aria-colindex={1} className="tabular sticky left-0 z-[5] flex h-full items-center justify-end border-r border-line bg-sunken px-2 text-xs text-text-2" style={{ width: numberWidth }}>
              {formatNumber(r.index + 1)}
            </div>
            {horizontal.getVirtualItems().map((c) => {
              const value = rows[r.index]?.[c.index]
              const chosen = cell.row === r.index && cell.column === c.index
              return (
                <div
                  key={c.index}
                  id={`cell-${r.index}-${c.index}`}
                  role="gridcell"
                  aria-colindex={c.index + 2}
                  aria-selected={chosen}
                  onClick={() => onCell({ row: r.index, column: c.index })}
                  onDoubleClick={onOpen}
                  className={cx('absolute top-0 h-full truncate border-r border-line px-2 font-mono text-sm leading-8', chosen && 'bg-accent-soft', chosen && held && 'outline-2 -outline-offset-2 outline-accent', isNumeric(columns[c.index]?.type ?? '') && 'text-right')}
                  style={{ left: c.start, width: c.size }}
                >
                  <Value of={value} />
                </div>
              )
            })}
          </div>
        ))}
      </div>
    </div>
  )
}

function Value({ of: value }: { of: unknown }) {
  if (value === null || value === undefined) return <span className="text-text-3 italic">{t.null}</span>
  if (value === '') return <span className="text-text-3 italic">{t.empty}</span>
  if (typeof value === 'boolean') return <span className="text-info">{String(value)}</span>
  return <span dir="auto">{lineText(value)}</span>
}
