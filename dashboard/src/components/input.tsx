import { ChevronDown } from 'lucide-react'
import { Checkbox as RadixCheckbox, Switch as RadixSwitch } from 'radix-ui'
import type { ComponentProps } from 'react'
import { cx } from '@/lib/cx'

const control =
  'w-full rounded border border-line-strong/60 bg-surface text-base text-text placeholder:text-text-3 hover:border-line-strong aria-invalid:border-danger disabled:bg-sunken disabled:text-text-3'

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={cx(control, 'h-8 px-2.5 read-only:bg-sunken', className)} {...rest} />
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea className={cx(control, 'min-h-20 px-2.5 py-1.5', className)} {...rest} />
}

/** The browser's own list of choices: it works by touch and by keyboard everywhere. Its width is the room's, or the class's. */
export function Select({ className = 'w-full', children, ...rest }: ComponentProps<'select'>) {
  return (
    <span className={cx('relative inline-block', className)}>
      <select className={cx(control, 'h-8 appearance-none pr-8 pl-2.5')} {...rest}>
        {children}
      </select>
      <ChevronDown className="pointer-events-none absolute top-2 right-2 size-4 text-text-2" strokeWidth={1.5} aria-hidden />
    </span>
  )
}

type SwitchProps = { checked: boolean; onCheckedChange: (checked: boolean) => void; id?: string; disabled?: boolean; 'aria-label'?: string; 'aria-describedby'?: string }

export function Switch(props: SwitchProps) {
  return (
    <RadixSwitch.Root
      {...props}
      className="relative h-5 w-9 shrink-0 rounded-full border border-line-strong bg-sunken transition-colors disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
    >
      <RadixSwitch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-text-2 transition-transform data-[state=checked]:translate-x-[18px] data-[state=checked]:bg-accent-text" />
    </RadixSwitch.Root>
  )
}

type CheckboxProps = { checked: boolean | 'indeterminate'; onCheckedChange: (checked: boolean) => void; id?: string; disabled?: boolean; 'aria-label'?: string }

export function Checkbox({ onCheckedChange, checked, ...rest }: CheckboxProps) {
  return (
    <RadixCheckbox.Root
      {...rest}
      checked={checked}
      onCheckedChange={(next) => onCheckedChange(next === true)}
      className="flex size-4 shrink-0 items-center justify-center rounded-sm border border-line-strong bg-surface text-accent-text data-[state=checked]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:border-accent data-[state=indeterminate]:bg-accent"
    >
      <RadixCheckbox.Indicator>
        {checked === 'indeterminate' ? <span className="block h-0.5 w-2 bg-current" /> : (
          <svg viewBox="0 0 12 12" className="size-3" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden>
            <path d="M2.5 6.5 5 9l4.5-5.5" />
          </svg>
        )}
      </RadixCheckbox.Indicator>
    </RadixCheckbox.Root>
  )
}
