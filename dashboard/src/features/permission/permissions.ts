import { queryOptions } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** All permissions, each with a sentence. */
export const allPermissionsQuery = queryOptions({
  queryKey: ['permissions'],
  queryFn: async ({ signal }) => (await answer(api.GET('/v1/permissions', { signal }))) ?? [],
  staleTime: Infinity,
})

/** What the person may do in an organization, as the server says. */
export const orgPermissionsQuery = (slug: string) =>
  queryOptions({
    queryKey: ['permissions', 'org', slug],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/organizations/{slug}/permissions', { params: { path: { slug } }, signal }))).permissions ?? [],
    staleTime: 60_000,
  })

/** What the person may do in a project. */
export const projectPermissionsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['permissions', 'project', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/permissions', { params: { path: { ref } }, signal }))).permissions ?? [],
    staleTime: 60_000,
  })

/** Whether a permission is among those held. Until they are known nothing is offered that may be refused. */
export const may = (permissions: string[] | undefined, permission: string) => permissions?.includes(permission) ?? false
