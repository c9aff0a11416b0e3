import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

/** Settings by name. */
export type Values = Record<string, unknown>

/** The number of a version, from the tag of an answer. */
export const versionOf = (response: Response) => Number(response.headers.get('ETag')?.replaceAll(/\D/g, '') ?? 0)

/** The tag of a version, for If-Match. */
export const tagOf = (version: number) => `"${version}"`

/** The configuration in force, and its version. */
export const configQuery = (ref: string) =>
  queryOptions({
    queryKey: ['auth-config', ref],
    queryFn: async ({ signal }) => {
      const sent = await api.GET('/v1/projects/{ref}/config/auth', { params: { path: { ref } }, signal })
      const values: Schema<'AuthConfig'> = await answer(Promise.resolve(sent))
      return { values: values as Values, version: versionOf(sent.response) }
    },
  })

/** A patch as the generated types have it: they require what has a default. */
export const patchOf = (values: Values) => values as Schema<'AuthConfigUpdateBody'>
