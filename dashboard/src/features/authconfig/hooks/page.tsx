import { useQuery } from '@tanstack/react-query'
import { TriangleAlert } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { ChoiceList } from '@/components/choicelist'
import { Section } from '@/components/page'
import { Badge, Notice, Skeleton, Status } from '@/components/state'
import { may, projectPermissionsQuery } from '@/features/permission/permissions'
import { hooks as t } from '@/strings/hooks'
import { PageHead } from '../page'
import { useSettings } from '../settings'
import { hooksQuery } from './hooks'
import { labelOfPoint, settingOf, type Point } from './points'
import { Recipe } from './recipe'
import { Target } from './target'
import { Trial } from './trial'
import { lookOf, stateOf } from './words'

// Below the fold: its table is loaded after the rest.
const Calls = lazy(() => import('./calls').then((m) => ({ default: m.Calls })))

type Props = { point: Point; call?: string; onCall: (call?: string) => void }

/** A hook: what it calls, what follows when it fails, a test of it, and its last calls. */
export function HookPage({ point, call, onCall }: Props) {
  const settings = useSettings()
  const { ref } = settings
  const held = useQuery(projectPermissionsQuery(ref))
  const mayRead = may(held.data, 'logs:read')
  const hooks = useQuery({ ...hooksQuery(ref), enabled: mayRead })
  const state = stateOf(settings, point, hooks.data?.find((h) => h.point === point))
  const { tone, word } = lookOf(state)
  const modeName = settingOf(point, 'mode')
  return (
    <>
      <PageHead
        above="hooks"
        title={labelOfPoint(point)}
        description={t.points[point].when}
        action={
          <>
            {state.unsaved && <Badge tone="warn">{t.unsaved}</Badge>}
            <Status tone={tone}>{word}</Status>
          </>
        }
      />
      {state.on && state.paused && (
        <div className="mb-4">
          <Notice tone="danger" icon={TriangleAlert}>
            <p className="font-medium">{t.paused.title}</p>
            <p className="text-text-2">{t.paused.text}</p>
          </Notice>
        </div>
      )}
      <Recipe point={point} />
      <Section id="called" title={t.what.title}>
        <Target point={point} />
      </Section>
      <Section id="mode" title={t.mode.title} description={t.mode.text}>
        <ChoiceList
          name={modeName}
          label={t.mode.title}
          disabled={settings.readOnly}
          value={state.mode}
          onChange={(mode) => settings.set({ [modeName]: mode })}
          options={(settings.setting(modeName)?.choices ?? []).map((mode) => ({ value: mode, label: t.mode.choices[mode]?.label ?? mode, text: t.mode.choices[mode]?.text }))}
        />
      </Section>
      <Trial point={point} />
      {mayRead ? (
        <Suspense fallback={<Skeleton className="h-64 w-full" />}>
          <Calls projectRef={ref} point={point} open={call} onOpen={onCall} />
        </Suspense>
      ) : (
        held.data && <Notice>{t.forbidden}</Notice>
      )}
    </>
  )
}
