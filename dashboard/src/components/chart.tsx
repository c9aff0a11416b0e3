import { lazy, Suspense } from 'react'
import type { ChartProps } from './chartcode'
import { Skeleton } from './state'

/** Waits until the page has been painted and nothing is more urgent, at most a second. */
const quiet = () => new Promise<void>((done) => (window.requestIdleCallback ? window.requestIdleCallback(() => done(), { timeout: 1000 }) : setTimeout(done, 200)))

const Loaded = lazy(() => quiet().then(() => import('./chartcode')))

/** A chart of one question over time. Its code is loaded when it is first shown, after the rest of the page. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton className="h-52 w-full" />}>
      <Loaded {...props} />
    </Suspense>
  )
}
