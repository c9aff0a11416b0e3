import { RotateCcw } from 'lucide-react'
import { useId, type ReactNode } from 'react'
import { common } from '@/strings/common'
import { IconButton } from './button'

type RowProps = {
  label: ReactNode
  help?: ReactNode
  error?: ReactNode
  /** What makes this setting have no effect. */
  overriddenBy?: ReactNode
  /** Returns to the default; shown only when it is another value. */
  onReset?: () => void
  /** The control; it gets the ids that tie it to label, help and error. */
  children: (field: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode
}

/** A row of a form: label and help at the left, control and error at the right. */
export function FormRow({ label, help, error, overriddenBy, onReset, children }: RowProps) {
  const id = useId()
  const describedBy = [help && `${id}-help`, error && `${id}-error`, overriddenBy && `${id}-over`].filter(Boolean).join(' ')
  return (
    <div className="grid gap-x-8 gap-y-2 py-4 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {help && (
          <p id={`${id}-help`} className="mt-0.5 text-sm text-text-2">
            {help}
          </p>
        )}
      </div>
      <div className="min-w-0">
        <div className="flex min-h-8 items-center gap-2">
          {children({ id, 'aria-describedby': describedBy || undefined, 'aria-invalid': error ? true : undefined })}
          {onReset && <IconButton icon={RotateCcw} label={common.resetToDefault} onClick={onReset} />}
        </div>
        {error && (
          <p id={`${id}-error`} className="mt-1 text-sm text-danger">
            {error}
          </p>
        )}
        {overriddenBy && (
          <p id={`${id}-over`} className="mt-1 text-sm text-warn">
            {overriddenBy}
          </p>
        )}
      </div>
    </div>
  )
}

/** A field with its label above, for dialogs and small forms. */
export function Field({ label, help, error, children }: RowProps) {
  const id = useId()
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div className="space-y-1">
      <label htmlFor={id} className="block font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': describedBy || undefined, 'aria-invalid': error ? true : undefined })}
      {help && (
        <p id={`${id}-help`} className="text-sm text-text-2">
          {help}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-sm text-danger">
          {error}
        </p>
      )}
    </div>
  )
}
