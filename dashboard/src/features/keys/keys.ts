import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Key = Schema<'ApikeyKey'>

/** The API keys of a project. A change of one concerns all that begins with this key. */
export const keysQuery = (ref: string) =>
  queryOptions({ queryKey: ['keys', ref, 'list'], queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/api-keys', { params: { path: { ref } }, signal }))) ?? [] })

/** Names a key within its project: legacy ones are known by their name. */
export const keyId = (key: Key) => key.id ?? key.name
