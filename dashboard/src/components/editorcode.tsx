import { html } from '@codemirror/lang-html'
import { json } from '@codemirror/lang-json'
import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup, EditorView } from 'codemirror'
import { useEffect, useRef } from 'react'

export type EditorProps = {
  language: 'sql' | 'html' | 'json'
  value: string
  onChange?: (value: string) => void
  /** Called by Ctrl-Enter, or ⌘-Enter, with the selected text if there is some. */
  onRun?: (text: string) => void
  /** What readers call the field. */
  label: string
  /** Names for completion in SQL: tables with their columns. */
  schema?: Record<string, string[]>
  minHeight?: string
  maxHeight?: string
  readOnly?: boolean
}

const look = EditorView.theme({
  '&': { backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: '13px', border: '1px solid var(--line)', borderRadius: '6px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--font-mono, "JetBrains Mono Variable", monospace)', lineHeight: '20px' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--text-3)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--sunken)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-soft)' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', border: '1px solid var(--line)', color: 'var(--text)' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
})

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.tagName], color: 'var(--accent)' },
  { tag: [tags.string, tags.attributeValue], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--info)' },
  { tag: [tags.propertyName, tags.attributeName, tags.typeName], color: 'var(--warn)' },
  { tag: [tags.comment], color: 'var(--text-3)', fontStyle: 'italic' },
])

const languages = {
  sql: (schema?: Record<string, string[]>) => sql({ dialect: PostgreSQL, schema, upperCaseKeywords: false }),
  html: () => html(),
  json: () => json(),
}

/** The editor itself: CodeMirror 6. */
export default function EditorCode({ language, value, onChange, onRun, label, schema, minHeight = '160px', maxHeight = '480px', readOnly }: EditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const latest = useRef({ onChange, onRun })
  latest.current = { onChange, onRun }

  useEffect(() => {
    const created = new EditorView({
      parent: host.current as HTMLElement,
      state: EditorState.create({
        doc: value,
        extensions: [
          keymap.of([
            {
              key: 'Mod-Enter',
              run: ({ state }) => {
                const { from, to } = state.selection.main
                latest.current.onRun?.(from === to ? state.doc.toString() : state.sliceDoc(from, to))
                return latest.current.onRun !== undefined
              },
            },
          ]),
          basicSetup,
          languages[language](schema),
          look,
          syntaxHighlighting(colours),
          EditorView.lineWrapping,
          EditorView.theme({ '.cm-scroller': { minHeight, maxHeight, overflow: 'auto' } }),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorState.readOnly.of(readOnly ?? false),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = created
    return () => created.destroy()
    // The value is followed below; other properties are constant while it lives.
  }, [language, schema, readOnly, label])

  useEffect(() => {
    const now = view.current
    if (now && now.state.doc.toString() !== value) now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: value } })
  }, [value])

  return <div ref={host} className="w-full min-w-0" />
}
