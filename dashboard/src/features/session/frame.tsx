import type { ReactNode } from 'react'
import icon from '@/app/icon.svg'
import { common } from '@/strings/common'

/** The frame of pages without a session. */
export function Frame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center gap-6 px-4 py-12">
      <header className="space-y-4">
        <img src={icon} alt={common.product} className="size-9" />
        <h1 className="text-xl font-semibold">{title}</h1>
      </header>
      {children}
    </main>
  )
}
