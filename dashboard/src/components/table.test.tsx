import { cleanup, fireEvent, render, screen, within } from '@testing-library/react'
import { Tooltip } from 'radix-ui'
import { useState } from 'react'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { BulkBar, Table, type Column, type Sort } from './table'

// Rows are drawn where they are visible: the test's document has no layout of its own.
beforeAll(() => {
  for (const [name, size] of [
    ['clientHeight', 600],
    ['clientWidth', 800],
  ] as const) {
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => size })
  }
})
afterEach(cleanup)

type Row = { id: string; name: string }
const rows: Row[] = ['Ada', 'Grace', 'Alan'].map((name, i) => ({ id: String(i), name }))
const columns: Column<Row>[] = [
  { id: 'name', header: 'Name', cell: (r) => r.name, sortable: true },
  { id: 'id', header: 'Id', cell: (r) => r.id, narrow: 'hidden' },
]
const base = { label: 'People', columns, rowKey: (r: Row) => r.id, empty: <p>Nobody yet</p> }
const named = (name: RegExp) => screen.getByRole('row', { name })

test('a header sorts the newest first, and turns the order round', () => {
  const asked: Sort[] = []
  function Sorted() {
    const [sort, setSort] = useState<Sort>()
    return <Table {...base} rows={rows} sort={sort} onSort={(next) => (asked.push(next), setSort(next))} />
  }
  render(<Sorted />)
  const header = screen.getByRole('columnheader', { name: 'Name' })
  expect(header.getAttribute('aria-sort')).toBeNull()
  fireEvent.click(within(header).getByRole('button'))
  expect(header.getAttribute('aria-sort')).toBe('descending')
  fireEvent.click(within(header).getByRole('button'))
  expect(header.getAttribute('aria-sort')).toBe('ascending')
  expect(asked).toEqual([
    { by: 'name', descending: true },
    { by: 'name', descending: false },
  ])
  expect(within(screen.getByRole('columnheader', { name: 'Id' })).queryByRole('button')).toBeNull()
})

test('rows are selected by their box and by Space, all of them by the box above, and the bar acts on them', () => {
  const open = vi.fn()
  function Selectable() {
    const [selection, select] = useState<ReadonlySet<string>>(new Set())
    return (
      <Tooltip.Provider>
        <BulkBar count={selection.size} onClear={() => select(new Set())}>
          <button type="button">Ban</button>
        </BulkBar>
        <Table {...base} rows={rows} onOpen={open} selection={selection} onSelect={select} />
      </Tooltip.Provider>
    )
  }
  render(<Selectable />)
  const selected = () => screen.getAllByRole('row').filter((r) => r.getAttribute('aria-selected') === 'true').length
  expect(screen.queryByRole('button', { name: 'Ban' })).toBeNull()
  fireEvent.click(within(named(/Ada/)).getByRole('checkbox'))
  expect(open).not.toHaveBeenCalled() // the box is no part of what opens the row
  fireEvent.keyDown(named(/Grace/), { key: ' ' })
  expect(selected()).toBe(2)
  screen.getByRole('region', { name: '2 selected' })
  const all = screen.getByRole('checkbox', { name: 'Select all rows shown' })
  expect(all.getAttribute('aria-checked')).toBe('mixed')
  fireEvent.click(all)
  expect(selected()).toBe(3)
  fireEvent.click(all)
  expect(selected()).toBe(0)
  expect(screen.queryByRole('region')).toBeNull()
})

test('arrows move between rows and stay within, and Enter opens', async () => {
  const open = vi.fn()
  render(<Table {...base} rows={rows} onOpen={open} />)
  const focused = (name: RegExp) => vi.waitFor(() => expect(document.activeElement).toBe(named(name)))
  named(/Ada/).focus()
  fireEvent.keyDown(named(/Ada/), { key: 'ArrowDown' })
  await focused(/Grace/)
  fireEvent.keyDown(named(/Grace/), { key: 'j' })
  await focused(/Alan/)
  fireEvent.keyDown(named(/Alan/), { key: 'ArrowDown' })
  await focused(/Alan/)
  fireEvent.keyDown(named(/Alan/), { key: 'ArrowUp' })
  await focused(/Grace/)
  fireEvent.keyDown(named(/Grace/), { key: 'Enter' })
  expect(open.mock.calls).toEqual([[rows[1]]])
})

test('while rows are on their way their places stand there, and what is empty says why', () => {
  const { rerender } = render(<Table {...base} rows={undefined} />)
  const table = screen.getByRole('table', { name: 'People' })
  expect(table.getAttribute('aria-busy')).toBe('true')
  expect(screen.getAllByRole('row').length).toBeGreaterThan(3)
  expect(screen.queryByText('Nobody yet')).toBeNull()
  rerender(<Table {...base} rows={[]} />)
  screen.getByText('Nobody yet')
  expect(screen.queryByRole('table')).toBeNull()
})

test('what is shown is counted, and more is asked for while there is more', () => {
  const more = vi.fn()
  const { rerender } = render(<Table {...base} rows={rows} total={12480} totalIsEstimate onMore={more} />)
  screen.getByText(/^Showing 3 of about 12.480$/)
  fireEvent.click(screen.getByRole('button', { name: 'Load more' }))
  expect(more).toHaveBeenCalledOnce()
  rerender(<Table {...base} rows={rows} total={12480} onMore={more} loadingMore />)
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Load more' }).disabled).toBe(true)
  rerender(<Table {...base} rows={rows} />)
  expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull()
})
