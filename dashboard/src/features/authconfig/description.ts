import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Setting = Schema<'AuthconfigSettingDetails'>
export type Section = Schema<'AuthconfigSettingSection'>

/** What all settings are: it changes with the server's release alone. */
export const descriptionQuery = (ref: string) =>
  queryOptions({
    queryKey: ['auth-settings', ref],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/config/auth/settings', { params: { path: { ref } }, signal })),
    staleTime: Infinity,
  })
