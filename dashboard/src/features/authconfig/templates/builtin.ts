import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Builtin = Schema<'AuthconfigBuiltinMail'>
export const kinds = ['confirmation', 'invite', 'recovery', 'magic_link', 'email_change', 'reauthentication'] as const
export type Kind = (typeof kinds)[number]

/** The built-in mail of a kind, and what a template can show. */
export const builtinQuery = (ref: string, kind: Kind) =>
  queryOptions({
    queryKey: ['built-in-mail', ref, kind],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/config/auth/templates/{kind}', { params: { path: { ref, kind } }, signal })),
    staleTime: 300_000,
  })
