import { useQuery } from '@tanstack/react-query'
import { Button } from '@/components/button'
import { DiffList } from '@/components/diff'
import { ErrorNote } from '@/components/error'
import { Notice, Skeleton } from '@/components/state'
import { settings as t } from '@/strings/settings'
import { compareQuery } from './compare'
import { rebase } from './draft'
import { nameOfProvider } from './providers/providers'
import { useSettings } from './settings'
import { fullLabelOf, showValue } from './words'

/** What somebody else saved since the draft began, and the way on. */
export function Stale() {
  const settings = useSettings()
  const { ref, draft, version } = settings
  const difference = useQuery(compareQuery(ref, version, draft.base))
  const changes = (difference.data?.changes ?? []).map((c) => {
    const setting = settings.setting(c.name)
    return { name: c.name, label: setting && fullLabelOf(setting, nameOfProvider), before: showValue(setting, c.before), after: showValue(setting, c.after), secret: c.secret }
  })
  const clashes = changes.filter((c) => c.name in draft.values)
  return (
    <Notice
      tone="warn"
      action={
        <Button size="small" onClick={() => rebase(ref, version)}>
          {t.stale.apply}
        </Button>
      }
    >
      <div role="alert" className="space-y-1">
        <p className="font-medium">{t.stale.title(version)}</p>
        {difference.error ? <ErrorNote error={difference.error} /> : difference.isPending ? <Skeleton /> : changes.length === 0 ? <p>{t.stale.nothing}</p> : <DiffList changes={changes} />}
        {clashes.length > 0 && (
          <p className="text-warn">
            {clashes.map((c) => c.label).join(', ')}: {t.stale.clash}
          </p>
        )}
      </div>
    </Notice>
  )
}
