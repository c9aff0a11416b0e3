import { Skeleton } from '@/components/state'
import { common } from '@/strings/common'

/** A page on its way. */
export function PageSkeleton() {
  return (
    <div role="status" aria-label={common.loading} className="mx-auto w-full max-w-[1120px] space-y-4 px-4 pt-5 sm:px-8">
      <Skeleton className="h-7 w-56" />
      <Skeleton className="h-4 w-96 max-w-full" />
      <Skeleton className="h-48 w-full" />
    </div>
  )
}
