type Props<Value extends string> = { label: string; value: Value; onChange: (value: Value) => void; options: { value: Value; label: string }[] }

/** A choice of two or three, all in sight. */
export function Segments<Value extends string>({ label, value, onChange, options }: Props<Value>) {
  return (
    <div role="group" aria-label={label} className="inline-flex rounded border border-line bg-surface p-0.5">
      {options.map((o) => (
        <button
          key={o.value}
          type="button"
          aria-pressed={o.value === value}
          onClick={() => onChange(o.value)}
          className="h-6 rounded-sm px-2 text-sm text-text-2 hover:text-text aria-pressed:bg-sunken aria-pressed:font-medium aria-pressed:text-text"
        >
          {o.label}
        </button>
      ))}
    </div>
  )
}
