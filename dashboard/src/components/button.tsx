import { LoaderCircle, type LucideIcon } from 'lucide-react'
import type { ComponentProps } from 'react'
import { cx } from '@/lib/cx'
import { Tooltip } from './tooltip'

export type ButtonKind = 'primary' | 'secondary' | 'quiet' | 'danger'

const kinds: Record<ButtonKind, string> = {
  primary: 'bg-accent text-accent-text hover:bg-accent-hover',
  secondary: 'border border-line bg-surface text-text hover:bg-sunken',
  quiet: 'text-text-2 hover:bg-sunken hover:text-text',
  danger: 'bg-danger text-danger-text hover:bg-danger-hover',
}

/** The classes of a button, for links that look like one. */
export function buttonClass(kind: ButtonKind = 'secondary', size: 'small' | 'normal' = 'normal', extra?: string) {
  return cx(
    'inline-flex shrink-0 items-center justify-center gap-1.5 rounded font-medium whitespace-nowrap transition-colors disabled:opacity-50',
    size === 'small' ? 'h-7 px-2 text-sm' : 'h-8 px-3 text-base',
    kinds[kind],
    extra,
  )
}

type Props = ComponentProps<'button'> & { kind?: ButtonKind; size?: 'small' | 'normal'; icon?: LucideIcon; busy?: boolean }

/** A button. While busy it keeps its width, and cannot be pressed again. */
export function Button({ kind, size, icon: Icon, busy, className, children, disabled, type = 'button', ...rest }: Props) {
  return (
    <button type={type} className={buttonClass(kind, size, className)} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
      {busy ? <LoaderCircle className="size-4 animate-spin" strokeWidth={1.5} aria-hidden /> : Icon && <Icon className="size-4" strokeWidth={1.5} aria-hidden />}
      {children}
    </button>
  )
}

type IconProps = Omit<ComponentProps<'button'>, 'children'> & { icon: LucideIcon; label: string; busy?: boolean }

/** A button that shows an icon; its label is read out and shown on hover. */
export function IconButton({ icon: Icon, label, busy, className, type = 'button', ...rest }: IconProps) {
  return (
    <Tooltip text={label}>
      <button
        type={type}
        aria-label={label}
        className={cx('inline-flex size-7 shrink-0 items-center justify-center rounded text-text-2 transition-colors hover:bg-sunken hover:text-text disabled:opacity-50', className)}
        {...rest}
      >
        {busy ? <LoaderCircle className="size-4 animate-spin" strokeWidth={1.5} aria-hidden /> : <Icon className="size-4" strokeWidth={1.5} aria-hidden />}
      </button>
    </Tooltip>
  )
}
