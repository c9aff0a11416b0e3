import { Notice } from '@/components/state'
import type { Schema } from '@/lib/api/client'
import { templates as t } from '@/strings/templates'

/** What is wrong with the templates, and where. */
export function TemplateErrors({ errors }: { errors: Schema<'AuthconfigTemplateError'>[] }) {
  if (errors.length === 0) return null
  return (
    <Notice tone="danger">
      <ul role="alert" className="space-y-1">
        {errors.map((e, i) => (
          <li key={i} className="break-words">
            <span className="font-medium">{t.errorAt(e.part, e.line, e.column)}:</span> {e.message}
            {e.large_metadata && <span className="text-text-2"> {t.large}</span>}
          </li>
        ))}
      </ul>
      <p className="text-text-2">{t.instead}</p>
    </Notice>
  )
}
