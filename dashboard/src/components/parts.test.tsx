import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { Tooltip } from 'radix-ui'
import { useState } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import { ConfirmDialog } from './dialog'
import { DiffBar, type Change } from './diff'
import { DurationInput } from './duration'

afterEach(cleanup)

test('a loss needs the name typed exactly, and a refusal leaves the dialog open with it', async () => {
  const confirm = vi.fn(() => Promise.reject(new Error('It is in use')))
  const close = vi.fn()
  render(
    <Tooltip.Provider>
      <ConfirmDialog open onOpenChange={close} title="Delete shop" action="Delete" typed="shop" onConfirm={confirm}>
        <p>All of it goes.</p>
      </ConfirmDialog>
    </Tooltip.Provider>,
  )
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Delete' })
  const field = screen.getByRole<HTMLInputElement>('textbox')
  for (const wrong of ['', 'Shop', 'shop ']) {
    fireEvent.change(field, { target: { value: wrong } })
    expect(button.disabled).toBe(true)
  }
  fireEvent.change(field, { target: { value: 'shop' } })
  expect(button.disabled).toBe(false)
  fireEvent.submit(field.form as HTMLFormElement)
  await screen.findByText(/It is in use/)
  expect(confirm).toHaveBeenCalledTimes(1)
  expect(field.value).toBe('shop')
  expect(close).not.toHaveBeenCalled()
})

test('the bar shows what changes, and is not there without a change', () => {
  const [save, discard] = [vi.fn(), vi.fn()]
  const bar = (changes: Change[]) => (
    <DiffBar changes={changes} saving={false} error={null} onSave={save} onDiscard={discard} />
  )
  const { rerender } = render(bar([]))
  expect(screen.queryByRole('region')).toBeNull()
  rerender(bar([{ name: 'password_min_length', label: 'Least length', before: 6, after: 12 }]))
  fireEvent.click(screen.getByRole('button', { name: 'Save' }))
  fireEvent.click(screen.getByRole('button', { name: 'Discard' }))
  expect([save.mock.calls.length, discard.mock.calls.length]).toEqual([1, 1])
  expect(screen.getByRole('region').textContent).toContain('Least length')
})

test('the bar never shows a secret, does not save what is blocked, and keeps a refusal in sight', () => {
  const changes: Change[] = [
    { name: 'smtp_pass', before: 'old one', after: 'new one', secret: true },
    { name: 'hook_secrets', before: '', after: 'first one', secret: true },
  ]
  const save = vi.fn()
  render(
    <Tooltip.Provider>
      <DiffBar changes={changes} blocked error={new Error('Somebody else saved')} onSave={save} onDiscard={() => {}} warnings={['Mails will wait']} />
    </Tooltip.Provider>,
  )
  const bar = screen.getByRole('region', { name: '2 changes, not saved' })
  expect(bar.textContent).not.toMatch(/old one|new one|first one/)
  expect(bar.textContent).toContain('a new secret')
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Save' })
  expect(button.disabled).toBe(true)
  fireEvent.click(button)
  expect(save).not.toHaveBeenCalled()
  screen.getByText('Somebody else saved')
  screen.getByText('Mails will wait')
})

test('a duration is read as people write it, and what is none is handed on to be refused', async () => {
  function Field() {
    const [value, setValue] = useState<number | string>(3600)
    return (
      <>
        <DurationInput aria-label="Life" value={value} unit="seconds" onChange={setValue} />
        <output>{JSON.stringify(value)}</output>
      </>
    )
  }
  render(<Field />)
  const field = screen.getByLabelText<HTMLInputElement>('Life')
  expect(field.value).toBe('1h')
  for (const [typed, value] of [['15m', '900'], ['2h 30m', '9000'], ['90', '90'], ['0', '0'], ['soon', '"soon"']] as const) {
    fireEvent.change(field, { target: { value: typed } })
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe(value))
    expect(field.value).toBe(typed)
  }
})
