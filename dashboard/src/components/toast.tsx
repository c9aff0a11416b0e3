import { X } from 'lucide-react'
import { Toast as Radix } from 'radix-ui'
import { useSyncExternalStore } from 'react'
import { common } from '@/strings/common'
import { asApiError } from '@/lib/api/error'
import { cx } from '@/lib/cx'
import { Button, IconButton } from './button'

type Note = { id: number; text: string; danger?: boolean; undo?: () => void }

let notes: Note[] = []
let last = 0
const listeners = new Set<() => void>()

function set(next: Note[]) {
  notes = next
  for (const tell of listeners) tell()
}

/** Says for a moment that something was done; undo takes it back. */
export function toast(text: string, options: { undo?: () => void } = {}) {
  set([...notes.slice(-2), { id: ++last, text, ...options }])
}

/** Says that something failed, where no other place shows it. */
export function toastError(error: unknown) {
  const e = asApiError(error)
  set([...notes.slice(-2), { id: ++last, text: e.requestId ? `${e.message} (${common.request} ${e.requestId})` : e.message, danger: true }])
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (tell) => {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    () => notes,
  )
  const drop = (id: number) => set(notes.filter((n) => n.id !== id))
  return (
    <Radix.Provider duration={6000} label={common.notification}>
      {shown.map((n) => (
        <Radix.Root
          key={n.id}
          onOpenChange={(open) => !open && drop(n.id)}
          type={n.danger ? 'foreground' : 'background'}
          className={cx('flex items-center gap-3 rounded border bg-raised py-2 pr-2 pl-3 shadow-float', n.danger ? 'border-danger/50' : 'border-line')}
        >
          <Radix.Title className="min-w-0 flex-1 break-words">{n.text}</Radix.Title>
          {n.undo && (
            <Radix.Action altText={common.undo} asChild>
              <Button size="small" onClick={n.undo}>
                {common.undo}
              </Button>
            </Radix.Action>
          )}
          <Radix.Close asChild>
            <IconButton icon={X} label={common.close} />
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(400px,calc(100vw-32px))] flex-col gap-2 outline-none" />
    </Radix.Provider>
  )
}
