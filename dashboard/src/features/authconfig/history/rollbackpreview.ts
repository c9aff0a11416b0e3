import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Preview } from '../preview'

/** What a roll-back would change. */
export const rollbackPreviewQuery = (ref: string, version: number, inForce: number) =>
  queryOptions({
    queryKey: ['auth-config-rollback', ref, version, inForce],
    queryFn: async ({ signal }) =>
      (await answer(api.POST('/v1/projects/{ref}/config/auth/history/{version}/rollback', { params: { path: { ref, version }, query: { dry_run: true } }, signal }))) as unknown as Preview,
    retry: false,
    gcTime: 0,
  })
