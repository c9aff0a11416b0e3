import { lazy, Suspense, useEffect } from 'react'
import { useSessionEnded } from '@/lib/session'

const load = () => import('./endeddialog')
const EndedDialog = lazy(load)

/** Shows the dialog of a session that has ended. It is no part of the first load, and is fetched before it is needed. */
export function SessionEnded() {
  const ended = useSessionEnded()
  useEffect(() => {
    const timer = setTimeout(() => void load().catch(() => {}), 3000)
    return () => clearTimeout(timer)
  }, [])
  return (
    <Suspense fallback={null}>
      {ended && <EndedDialog />}
    </Suspense>
  )
}
