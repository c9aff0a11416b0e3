import { Checkbox } from '@/components/input'

type Props = { all: string[]; chosen: ReadonlySet<string>; onChange: (chosen: Set<string>) => void }

/** Permissions to choose from, by what they are about. */
export function PermissionList({ all, chosen, onChange }: Props) {
  const groups = Map.groupBy(all, (p) => p.split(':')[0] ?? p)
  const toggle = (permission: string, on: boolean) => {
    const next = new Set(chosen)
    if (on) next.add(permission)
    else next.delete(permission)
    onChange(next)
  }
  return (
    <div className="grid gap-x-6 gap-y-3 sm:grid-cols-2">
      {[...groups].map(([object, permissions]) => (
        <fieldset key={object} className="min-w-0">
          <legend className="mb-1 text-sm font-medium">{object.replaceAll('_', ' ')}</legend>
          {permissions.map((p) => (
            <label key={p} className="flex h-7 items-center gap-2">
              <Checkbox checked={chosen.has(p)} onCheckedChange={(on) => toggle(p, on)} />
              <span className="font-mono text-sm">{p.split(':')[1]}</span>
            </label>
          ))}
        </fieldset>
      ))}
    </div>
  )
}
