import { useState } from 'react'
import { common } from '@/strings/common'
import { CopyButton } from './copy'

/** Code with its copy button; several languages are tabs. */
export function CodeBlock({ code, label }: { code: string | { label: string; code: string }[]; label?: string }) {
  const variants = typeof code === 'string' ? [{ label: label ?? common.code, code }] : code
  const [chosen, choose] = useState(0)
  const shown = variants[chosen] ?? variants[0]
  if (!shown) return null
  return (
    <div className="overflow-hidden rounded border border-line bg-sunken text-left">
      <div className="flex items-center gap-1 border-b border-line py-0.5 pr-1 pl-2">
        <div role="group" aria-label={label ?? common.code} className="flex min-w-0 flex-1 overflow-x-auto">
          {variants.map((v, i) => (
            <button
              key={v.label}
              type="button"
              aria-pressed={variants.length > 1 ? i === chosen : undefined}
              disabled={variants.length === 1}
              onClick={() => choose(i)}
              className="h-7 rounded-sm px-2 text-sm whitespace-nowrap text-text-2 not-disabled:hover:text-text aria-pressed:font-medium aria-pressed:text-text disabled:cursor-default"
            >
              {v.label}
            </button>
          ))}
        </div>
        <CopyButton text={shown.code} />
      </div>
      <pre tabIndex={0} className="max-h-96 overflow-auto p-3 font-mono text-sm leading-5">
        <code>{shown.code}</code>
      </pre>
    </div>
  )
}
