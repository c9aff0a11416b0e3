import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** A project. */
export const projectQuery = (ref: string) =>
  queryOptions({ queryKey: ['project', ref], queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}', { params: { path: { ref } }, signal })) })
