import { Checkbox } from '@/components/input'
import type { Schema } from '@/lib/api/client'

type Props = { all: Schema<'Permission'>[]; chosen: ReadonlySet<string>; onChange: (chosen: Set<string>) => void }

/** Permissions to choose from, each with what it allows. */
export function PermissionList({ all, chosen, onChange }: Props) {
  const groups = Map.groupBy(all, (p) => p.name.split(':')[0] ?? p.name)
  const toggle = (permission: string, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(permission)
    else next.delete(permission)
    onChange(next)
  }
  return (
    <div className="space-y-3">
      {[...groups].map(([object, permissions]) => (
        <fieldset key={object} className="min-w-0">
          <legend className="mb-0.5 text-sm font-medium">{object.replaceAll('_', ' ')}</legend>
          {permissions.map((p) => (
            <label key={p.name} className="flex items-start gap-2 py-1">
              <span className="mt-0.5">
                <Checkbox aria-label={p.name} checked={chosen.has(p.name)} onCheckedChange={(on) => toggle(p.name, on)} />
              </span>
              <span className="w-20 shrink-0 font-mono text-sm">{p.name.split(':')[1]}</span>
              <span className="min-w-0 text-sm text-text-2">{p.description}</span>
            </label>
          ))}
        </fieldset>
      ))}
    </div>
  )
}
