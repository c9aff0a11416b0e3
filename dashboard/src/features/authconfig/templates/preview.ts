import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Kind } from './builtin'

export type Texts = { subject: string; content: string; data?: Record<string, unknown> }

/** A mail with sample data. */
export const mailQuery = (ref: string, kind: Kind, texts: Texts) =>
  queryOptions({
    queryKey: ['mail-preview', ref, kind, texts],
    queryFn: ({ signal }) => answer(api.POST('/v1/projects/{ref}/config/auth/templates/{kind}/preview', { params: { path: { ref, kind } }, body: texts, signal })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 30_000,
    retry: false,
  })
