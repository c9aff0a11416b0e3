import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import { useState, type FormEvent, type ReactNode } from 'react'
import { common } from '@/strings/common'
import { cx } from '@/lib/cx'
import { Button, IconButton } from './button'
import { ErrorNote } from './error'
import { Input } from './input'
import { Skeleton } from './state'

type DialogProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  description?: ReactNode
  children?: ReactNode
  /** Buttons, the primary one last. */
  footer?: ReactNode
  wide?: boolean
}

/**
 * Moves the focus to the panel rather than to its first button, whose tooltip would
 * take the first Escape. A field with autoFocus has the focus already.
 */
function focusPanel(event: Event) {
  event.preventDefault()
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus()
}

/** A dialog in the middle of the page. */
export function Dialog({ open, onOpenChange, title, description, children, footer, wide }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]" />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={focusPanel}
          className={cx(
            'fixed top-1/2 left-1/2 z-40 flex max-h-[calc(100dvh-32px)] w-[calc(100vw-32px)] -translate-x-1/2 -translate-y-1/2 flex-col rounded border border-line bg-raised shadow-float outline-none',
            wide ? 'max-w-3xl' : 'max-w-md',
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-2">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold break-words">{title}</Radix.Title>
              {description && <Radix.Description className="mt-1 text-text-2">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton icon={X} label={common.close} className="-mr-2" />
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-2">{children}</div>
          {footer && <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** A panel at the right edge, for the details of a row. */
export function Sheet({ open, onOpenChange, title, description, children, footer, side = 'right' }: DialogProps & { side?: 'left' | 'right' }) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]" />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={focusPanel}
          className={cx(
            'fixed inset-y-0 z-40 flex w-full flex-col border-line bg-raised shadow-float outline-none',
            side === 'right' ? 'right-0 max-w-xl border-l' : 'left-0 max-w-64 border-r',
          )}
        >
          <header className="flex items-start gap-3 border-b border-line px-5 py-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold break-words">{title}</Radix.Title>
              {description && <Radix.Description className="text-text-2">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton icon={X} label={common.close} className="-mr-2" />
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
          {footer && <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** The content of a panel on its way. */
export function SheetSkeleton() {
  return (
    <div role="status" aria-label={common.loading} className="space-y-3">
      {Array.from({ length: 6 }, (_, i) => (
        <Skeleton key={i} className="h-5 w-full" />
      ))}
    </div>
  )
}

type ConfirmProps = {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  /** What goes, and what stays. */
  children: ReactNode
  /** The verb on the button. */
  action: string
  /** A text that has to be typed first, for what cannot be undone. */
  typed?: string
  /** Whether the act destroys something; true by default. */
  danger?: boolean
  /** Runs the act; the dialog closes when it is done, and shows the error when it fails. */
  onConfirm: () => Promise<unknown>
}

/** Asks before an act, and shows its progress and its error. */
export function ConfirmDialog({ open, onOpenChange, title, children, action, typed, danger = true, onConfirm }: ConfirmProps) {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const change = (next: boolean) => {
    if (busy) return
    setText('')
    setError(undefined)
    onOpenChange(next)
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await onConfirm()
      setText('')
      onOpenChange(false)
    } catch (e) {
      setError(e)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open={open}
      onOpenChange={change}
      title={title}
      footer={
        <>
          <Button onClick={() => change(false)} disabled={busy}>
            {common.cancel}
          </Button>
          <Button type="submit" form="confirm" kind={danger ? 'danger' : 'primary'} busy={busy} disabled={typed !== undefined && text !== typed}>
            {action}
          </Button>
        </>
      }
    >
      <form id="confirm" onSubmit={submit} className="space-y-3 pb-2">
        <div className="space-y-2 text-text-2">{children}</div>
        {typed !== undefined && (
          <label className="block space-y-1">
            <span className="text-sm text-text-2">{common.typeToConfirm(typed)}</span>
            <Input value={text} onChange={(e) => setText(e.target.value)} autoComplete="off" spellCheck={false} autoFocus />
          </label>
        )}
        {error !== undefined && <ErrorNote error={error} />}
      </form>
    </Dialog>
  )
}
