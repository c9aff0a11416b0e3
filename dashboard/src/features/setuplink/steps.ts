import type { SetupState } from './setuplink'

export const stepIds = ['idp', 'fields', 'metadata', 'certificate', 'domain', 'try', 'live', 'scim'] as const
export type StepId = (typeof stepIds)[number]

/** The steps of a link, in their order, and which are done. */
export function stepsOf(state: SetupState): { id: StepId; done: boolean }[] {
  const intents = state.intents ?? []
  const done = state.done ?? []
  const blockers = state.blockers ?? []
  const sso = intents.includes('sso')
  const live = done.includes('sso')
  const tried = state.dry_run?.outcome === 'accepted'
  const steps: { id: StepId; done: boolean }[] = []
  if (sso) {
    steps.push({ id: 'idp', done: state.idp !== '' }, { id: 'fields', done: state.connection !== undefined }, { id: 'metadata', done: state.connection !== undefined })
  }
  if (intents.includes('certificate')) steps.push({ id: 'certificate', done: done.includes('certificate') })
  if (intents.includes('domain')) steps.push({ id: 'domain', done: done.includes('domain') || (sso && (state.domains ?? []).some((d) => d.state === 'active')) }) // alone it is finished by hand
  if (sso || intents.includes('certificate')) {
    steps.push({ id: 'try', done: live || (tried && !blockers.includes('dry_run_outdated')) })
  }
  if (sso) steps.push({ id: 'live', done: live })
  if (intents.includes('scim')) steps.push({ id: 'scim', done: done.includes('scim') })
  return steps
}

/** The step that a page without one opens. */
export function firstOpen(state: SetupState): StepId {
  const steps = stepsOf(state)
  return (steps.find((s) => !s.done) ?? steps[steps.length - 1])?.id ?? 'live'
}
