import { Link } from '@tanstack/react-router'
import { Terminal } from 'lucide-react'
import { Button, buttonClass } from '@/components/button'
import { CodeBlock } from '@/components/code'
import { hooks as t } from '@/strings/hooks'
import { useSettings } from '../settings'
import { functionUri, settingOf, type Point } from './points'
import { endpointOf, functionOf, sqlOf } from './recipes'

/** A hook to begin with: unfolded while nothing is called yet. */
export function Recipe({ point }: { point: Point }) {
  const settings = useSettings()
  const { ref } = settings
  const uri = settingOf(point, 'uri')
  const own = functionUri(functionOf(point))
  const r = t.recipe
  return (
    <details className="mb-10 rounded border border-line bg-surface" open={!settings.saved[uri]}>
      <summary className="cursor-pointer px-4 py-3">
        <span className="font-medium">{r.title}</span>
        <span className="block text-sm text-text-2">{r.of[point]}</span>
      </summary>
      <div className="space-y-3 px-4 pb-4">
        <CodeBlock
          label={r.title}
          code={[
            { label: r.function, code: sqlOf[point] },
            { label: r.endpoint, code: endpointOf[point] },
          ]}
        />
        <div className="flex flex-wrap gap-2">
          <Link to="/p/$ref/database" params={{ ref }} search={{ sql: sqlOf[point] }} className={buttonClass()}>
            <Terminal className="size-4" strokeWidth={1.5} aria-hidden />
            {r.open}
          </Link>
          {settings.value(uri) !== own && (
            <Button disabled={settings.readOnly} onClick={() => settings.set({ [uri]: own, [settingOf(point, 'enabled')]: true })}>
              {r.use}
            </Button>
          )}
        </div>
      </div>
    </details>
  )
}
