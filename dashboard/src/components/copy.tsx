import { Check, Copy, Eye, EyeOff } from 'lucide-react'
import { useEffect, useState } from 'react'
import { common } from '@/strings/common'
import { cx } from '@/lib/cx'
import { IconButton } from './button'

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label = common.copy, className }: { text: string; label?: string; className?: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 1500)
    return () => clearTimeout(timer)
  }, [done])
  return (
    <>
      <IconButton
        icon={done ? Check : Copy}
        label={done ? common.copied : label}
        className={cx('size-6', className)}
        onClick={(event) => {
          event.stopPropagation()
          void navigator.clipboard.writeText(text).then(() => setDone(true))
        }}
      />
      <span role="status" className="sr-only">
        {done ? common.copied : ''}
      </span>
    </>
  )
}

/** A value in mono that one click copies: a key, a ref, an id, a URL. */
export function Copyable({ text, className }: { text: string; className?: string }) {
  return (
    <span className={cx('inline-flex max-w-full min-w-0 items-center gap-1', className)}>
      <span className="min-w-0 truncate font-mono text-sm" title={text}>
        {text}
      </span>
      <CopyButton text={text} />
    </span>
  )
}

/** A secret, covered until asked for. Without a value, reveal fetches it. */
export function SecretField({ value, hint, label, onReveal, revealing }: { value?: string; hint?: string; label: string; onReveal?: () => void; revealing?: boolean }) {
  const [shown, setShown] = useState(false)
  const visible = shown && value !== undefined
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-1 rounded border border-line bg-sunken px-2 py-0.5" role="group" aria-label={label}>
      <span className={cx('min-w-0 font-mono text-sm', visible ? 'break-all' : 'truncate text-text-2')}>{visible ? value : (hint ?? '••••••••••••••••')}</span>
      <IconButton
        icon={visible ? EyeOff : Eye}
        label={visible ? common.hide : common.reveal}
        busy={revealing}
        className="size-6"
        onClick={() => {
          if (!visible && value === undefined) onReveal?.()
          setShown(!visible)
        }}
      />
      {value !== undefined && <CopyButton text={value} />}
    </span>
  )
}
