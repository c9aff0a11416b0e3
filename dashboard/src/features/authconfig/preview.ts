import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import { patchOf, type Values } from './config'

/** The answer to a dry run: the API's description has that of a change alone. */
export type Preview = { version: number; changes: Schema<'AuthconfigChange'>[]; warnings: string[] }

/** What a change would do, without doing it. The draft is named by its revision: keys hold no secrets. */
export const previewQuery = (ref: string, version: number, revision: number, patch: Values) =>
  queryOptions({
    queryKey: ['auth-config-preview', ref, version, revision],
    queryFn: async ({ signal }) => {
      const out = await answer(api.PATCH('/v1/projects/{ref}/config/auth', { params: { path: { ref }, query: { dry_run: true } }, body: patchOf(patch), signal }))
      return out as unknown as Preview
    },
    enabled: Object.keys(patch).length > 0,
    retry: false,
    gcTime: 0,
  })
