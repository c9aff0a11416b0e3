import { Link } from '@tanstack/react-router'
import { DiffBar } from '@/components/diff'
import { Input } from '@/components/input'
import { toast, toastError } from '@/components/toast'
import { settings as t } from '@/strings/settings'
import { discard, setReason } from './draft'
import { pageOf } from './pages'
import { nameOfProvider } from './providers/providers'
import { useRollback } from './rollback'
import { useSave } from './save'
import { faultOf, useSettings } from './settings'
import { Stale } from './stale'
import { fullLabelOf, showValue } from './words'

/** What is not saved yet, and the one way to save it. */
export function SaveBar() {
  const settings = useSettings()
  const { ref, draft, saved, version, sections } = settings
  const save = useSave(ref)
  const undo = useRollback(ref)
  const names = Object.keys(draft.values)
  const changes = names.map((name) => {
    const setting = settings.setting(name)
    return { name, label: setting && fullLabelOf(setting, nameOfProvider), before: showValue(setting, saved[name]), after: showValue(setting, draft.values[name]), secret: setting?.secret }
  })
  const fault = faultOf(settings.refusal)
  const page = fault && pageOf(sections, fault.name)
  const stale = draft.base !== 0 && draft.base !== version
  const submit = () =>
    save.mutate(
      { version: draft.base, patch: draft.values, reason: draft.reason.trim() },
      {
        onSuccess: (now) => {
          discard(ref)
          const back = now.version === version ? undefined : () => undo.mutate({ version: draft.base, reason: '', inForce: now.version }, { onSuccess: () => toast(t.undone), onError: toastError })
          toast(t.saved(now.version), { undo: back })
        },
      },
    )
  return (
    <DiffBar
      changes={changes}
      warnings={settings.warnings}
      saving={save.isPending}
      blocked={stale || fault !== undefined}
      error={stale ? undefined : fault ? (page ? undefined : settings.refusal) : (settings.refusal ?? save.error)}
      aside={<Input aria-label={t.reason} value={draft.reason} maxLength={500} placeholder={t.reasonHint} onChange={(event) => setReason(ref, event.target.value)} />}
      onSave={submit}
      onDiscard={() => {
        save.reset()
        discard(ref)
      }}
    >
      {stale && <Stale />}
      {fault && page && (
        <p role="alert" className="text-danger">
          <Link to="/p/$ref/auth/$page" params={{ ref, page }} className="font-medium underline">
            {(() => {
              const setting = settings.setting(fault.name)
              return setting ? fullLabelOf(setting, nameOfProvider) : fault.name
            })()}
          </Link>{' '}
          {fault.text}
        </p>
      )}
    </DiffBar>
  )
}
