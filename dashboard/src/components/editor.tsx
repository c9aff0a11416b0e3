import { lazy, Suspense } from 'react'
import type { EditorProps } from './editorcode'
import { Skeleton } from './state'

const Loaded = lazy(() => import('./editorcode'))

/** An editor for SQL, HTML or JSON. Its code is loaded when it is first shown. */
export function Editor(props: EditorProps) {
  return (
    <Suspense fallback={<Skeleton className="h-40 w-full" />}>
      <Loaded {...props} />
    </Suspense>
  )
}
