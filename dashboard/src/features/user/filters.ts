import type { FilterChoice } from '@/components/chips'
import { users as t } from '@/strings/users'
import { createdRanges, kinds, seenRanges, states } from './search'
import { providerName } from './words'

const providers = ['email', 'phone', 'google', 'apple', 'github', 'azure', 'facebook', 'gitlab', 'bitbucket', 'discord', 'slack_oidc', 'twitter', 'linkedin_oidc', 'keycloak', 'notion', 'spotify', 'twitch', 'zoom']
const f = t.filters

/** The filters of the list; a provider that is not among the usual ones keeps its place. */
export function filterChoices(provider?: string): FilterChoice[] {
  const known = provider && !providers.includes(provider) ? [...providers, provider] : providers
  return [
    { key: 'state', label: f.state.label, options: states.map((value) => ({ value, label: f.state[value] })) },
    { key: 'kind', label: f.kind.label, options: kinds.map((value) => ({ value, label: f.kind[value] })) },
    { key: 'provider', label: f.provider.label, options: known.map((value) => ({ value, label: providerName(value) })) },
    { key: 'created', label: f.created.label, options: createdRanges.map((value) => ({ value, label: f.created[value] })) },
    { key: 'seen', label: f.seen.label, options: seenRanges.map((value) => ({ value, label: f.seen[value] })) },
  ]
}
