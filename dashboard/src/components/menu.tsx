import { Check, Ellipsis, type LucideIcon } from 'lucide-react'
import { DropdownMenu } from 'radix-ui'
import type { ReactNode } from 'react'
import { common } from '@/strings/common'
import { cx } from '@/lib/cx'

export type MenuItem = { label: string; icon?: LucideIcon; danger?: boolean; disabled?: boolean; /** One of several values, of which this one is in force or not. */ checked?: boolean; onSelect: () => void } | 'separator'

/** A menu behind a trigger; without one, behind three dots. */
export function Menu({ items, trigger, label = common.more, align = 'end' }: { items: MenuItem[]; trigger?: ReactNode; label?: string; align?: 'start' | 'end' }) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        {trigger ?? (
          <button type="button" aria-label={label} className="inline-flex size-7 items-center justify-center rounded text-text-2 hover:bg-sunken hover:text-text" onClick={(e) => e.stopPropagation()}>
            <Ellipsis className="size-4" strokeWidth={1.5} aria-hidden />
          </button>
        )}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align={align} sideOffset={4} collisionPadding={8} className="z-50 max-h-(--radix-dropdown-menu-content-available-height) max-w-[min(360px,calc(100vw-16px))] min-w-44 overflow-y-auto rounded border border-line bg-raised p-1 shadow-float" onClick={(e) => e.stopPropagation()}>
          {items.map((item, i) =>
            item === 'separator' ? (
              <DropdownMenu.Separator key={i} className="my-1 h-px bg-line" />
            ) : (
              <DropdownMenu.Item
                key={item.label}
                disabled={item.disabled}
                onSelect={item.onSelect}
                {...(item.checked === undefined ? {} : { role: 'menuitemradio', 'aria-checked': item.checked })}
                className={cx(
                  'flex h-8 cursor-pointer items-center gap-2 rounded-sm px-2 text-base outline-none select-none data-[disabled]:cursor-not-allowed data-[disabled]:opacity-50 data-[highlighted]:bg-sunken',
                  item.danger && 'text-danger',
                )}
              >
                {item.icon && <item.icon className="size-4" strokeWidth={1.5} aria-hidden />}
                <span className="min-w-0 flex-1 truncate">{item.label}</span>
                {item.checked && <Check className="size-4 shrink-0" strokeWidth={1.5} aria-hidden />}
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
