import { Tooltip as Radix } from 'radix-ui'
import type { ReactNode } from 'react'

export const TooltipProvider = Radix.Provider

/** Shows a text beside what is hovered or focused. */
export function Tooltip({ text, children }: { text: ReactNode; children: ReactNode }) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content sideOffset={6} collisionPadding={8} className="z-50 max-w-72 rounded bg-text px-2 py-1 text-xs text-bg shadow-float">
          {text}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
