import { ErrorNote } from '@/components/error'
import { ApiError } from '@/lib/api/error'
import { signIn } from '@/strings/signin'

/** A refused sign-in in words; other errors as everywhere. */
export function Explained({ error }: { error: unknown }) {
  const words = error instanceof ApiError ? signIn.errors[error.code] : undefined
  if (!words) return <ErrorNote error={error} />
  return (
    <p role="alert" className="rounded border border-danger/40 bg-danger-soft px-3 py-2 text-danger">
      {words}
    </p>
  )
}
