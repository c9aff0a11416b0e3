import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Connection } from './snippet'

/** How an app reaches a project: its URL and a publishable key, "" if there is none. */
export const connectQuery = (ref: string) =>
  queryOptions({
    queryKey: ['connect', ref],
    queryFn: async ({ signal }): Promise<Connection & { refused: boolean }> => {
      const params = { path: { ref } }
      const [project, keys] = await Promise.all([
        answer(api.GET('/v1/projects/{ref}', { params, signal })),
        answer(api.GET('/v1/projects/{ref}/api-keys', { params, signal })).catch(() => undefined), // a role may not read them
      ])
      const publishable = (keys ?? []).filter((k) => k.type === 'publishable' && k.api_key)
      const key = publishable.find((k) => k.name === 'default') ?? publishable[0]
      return { ref, url: project.url, key: key?.api_key ?? '', refused: keys === undefined }
    },
    staleTime: 60_000,
  })
