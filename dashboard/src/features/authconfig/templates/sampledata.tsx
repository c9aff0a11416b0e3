import { useMemo, useState } from 'react'
import { Editor } from '@/components/editor'
import { templates as t } from '@/strings/templates'

/** The object in a text of JSON; undefined for none. */
function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

export function useSampleData(): [string, (text: string) => void, Record<string, unknown> | undefined] {
  const [text, setText] = useState('')
  return [text, setText, useMemo(() => objectIn(text), [text])]
}

/** The metadata that the preview shows. */
export function SampleData({ text, onText }: { text: string; onText: (text: string) => void }) {
  return (
    <details className="mt-3">
      <summary className="cursor-pointer text-sm text-text-2 hover:text-text">{t.sample}</summary>
      <div className="mt-2 space-y-1">
        <Editor language="json" label={t.sample} value={text} onChange={onText} minHeight="80px" maxHeight="200px" />
        <p className="text-sm text-text-2">{t.sampleHelp}</p>
        {text.trim() !== '' && !objectIn(text) && <p className="text-sm text-danger">{t.sampleWrong}</p>}
      </div>
    </details>
  )
}
