import { lazy, Suspense } from 'react'
import type { ChartProps } from './chartcode'
import { Skeleton } from './state'

const Loaded = lazy(() => import('./chartcode'))

/** A chart of one question over time. Its code is loaded when it is first shown. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton className="h-52 w-full" />}>
      <Loaded {...props} />
    </Suspense>
  )
}
