import { html } from '@codemirror/lang-html'
import { json } from '@codemirror/lang-json'
import { PostgreSQL, sql } from '@codemirror/lang-sql'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { Compartment, EditorState, type Text } from '@codemirror/state'
import { Decoration, keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup, EditorView } from 'codemirror'
import { useEffect, useRef, type RefObject } from 'react'

export type EditorProps = {
  language: 'sql' | 'html' | 'json'
  value: string
  onChange?: (value: string) => void
  /** Called by Ctrl-Enter, or ⌘-Enter, with the selected text if there is some, and where it begins. */
  onRun?: (text: string, from: number) => void
  /** What readers call the field. */
  label: string
  /** Names for completion in SQL: tables with their columns. */
  schema?: Record<string, string[]>
  minHeight?: string
  maxHeight?: string
  readOnly?: boolean
  /** Lines with an error, from 1. */
  faults?: number[]
  /** Gets a function that puts a text where the cursor is. */
  insert?: RefObject<((text: string) => void) | null>
  /** Gets a function that runs, as Ctrl-Enter does. */
  run?: RefObject<(() => void) | null>
  /** Where an error is, as an index in the text: the word there is underlined, and scrolled to. */
  faultAt?: number
  /** Called when some text is selected, or none any more. */
  onSelected?: (some: boolean) => void
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
  '.cm-fault, .cm-fault.cm-activeLine': { backgroundColor: 'var(--danger-soft)' },
  '.cm-fault-word': { textDecoration: 'underline wavy var(--danger)', textUnderlineOffset: '3px' },
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

const wrong = Decoration.line({ class: 'cm-fault' })

/** The marks of the lines with errors. */
const marks = (doc: Text, faults: number[]) =>
  EditorView.decorations.of(Decoration.set([...new Set(faults)].filter((n) => n >= 1 && n <= doc.lines).sort((a, b) => a - b).map((n) => wrong.range(doc.line(n).from))))

const word = Decoration.mark({ class: 'cm-fault-word' })

/** The mark of the word at an index; of the character before, at the end. */
function wordMark(state: EditorState, at: number) {
  const { from, to } = state.wordAt(at) ?? { from: Math.max(0, Math.min(at, state.doc.length - 1)), to: Math.min(state.doc.length, at + 1) }
  return from < to ? EditorView.decorations.of(Decoration.set([word.range(from, to)])) : []
}

const none: number[] = []

const languages = {
  sql: (schema?: Record<string, string[]>) => sql({ dialect: PostgreSQL, schema, upperCaseKeywords: false }),
  html: () => html(),
  json: () => json(),
}

/** The editor itself: CodeMirror 6. */
export default function EditorCode({ language, value, onChange, onRun, label, schema, minHeight = '160px', maxHeight = '480px', readOnly, faults = none, insert, run, faultAt, onSelected }: EditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const marked = useRef(new Compartment())
  const pointed = useRef(new Compartment())
  const spoken = useRef(new Compartment())
  const latest = useRef({ onChange, onRun, onSelected })
  latest.current = { onChange, onRun, onSelected }

  useEffect(() => {
    const runNow = (state: EditorState) => {
      const { from, to } = state.selection.main
      if (from === to) latest.current.onRun?.(state.doc.toString(), 0)
      else latest.current.onRun?.(state.sliceDoc(from, to), from)
    }
    const created = new EditorView({
      parent: host.current as HTMLElement,
      state: EditorState.create({
        doc: value,
        extensions: [
          keymap.of([
            {
              key: 'Mod-Enter',
              run: ({ state }) => {
                runNow(state)
                return latest.current.onRun !== undefined
              },
            },
          ]),
          basicSetup,
          spoken.current.of(languages[language](schema)),
          look,
          syntaxHighlighting(colours),
          marked.current.of([]),
          pointed.current.of([]),
          EditorView.lineWrapping,
          EditorView.theme({ '.cm-scroller': { minHeight, maxHeight, overflow: 'auto' } }),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorState.readOnly.of(readOnly ?? false),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString())
            if (update.selectionSet || update.docChanged) latest.current.onSelected?.(!update.state.selection.main.empty)
          }),
        ],
      }),
    })
    created.scrollDOM.tabIndex = 0
    view.current = created
    if (insert) {
      insert.current = (text) => {
        created.dispatch(created.state.replaceSelection(text))
        created.focus()
      }
    }
    if (run) run.current = () => runNow(created.state)
    return () => {
      if (insert) insert.current = null
      if (run) run.current = null
      created.destroy()
    }
    // The value is followed below; other properties are constant while it lives.
  }, [language, readOnly, label, insert, run])

  useEffect(() => {
    view.current?.dispatch({ effects: spoken.current.reconfigure(languages[language](schema)) })
  }, [language, schema])

  useEffect(() => {
    const now = view.current
    if (now && now.state.doc.toString() !== value) now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: value } })
  }, [value])

  useEffect(() => {
    const now = view.current
    now?.dispatch({ effects: marked.current.reconfigure(marks(now.state.doc, faults)) })
  }, [faults, value])

  useEffect(() => {
    const now = view.current
    if (!now) return
    const at = faultAt === undefined || faultAt > now.state.doc.length ? undefined : faultAt
    now.dispatch({ effects: [pointed.current.reconfigure(at === undefined ? [] : wordMark(now.state, at)), ...(at === undefined ? [] : [EditorView.scrollIntoView(at)])] })
  }, [faultAt])

  return <div ref={host} className="w-full min-w-0" />
}
