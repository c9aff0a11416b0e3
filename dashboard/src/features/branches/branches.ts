import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type Branch = Schema<'Project'>
export type NewBranch = Schema<'ProjectCreated'>

/** The branches of a project. */
export const branchesQuery = (ref: string) =>
  queryOptions({
    queryKey: ['branches', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/branch', { params: { path: { ref } }, signal }))) ?? [],
    refetchInterval: (query) => (query.state.data?.some((b) => b.status !== 'ACTIVE_HEALTHY' && b.status !== 'INACTIVE') ? 2000 : 30_000),
  })

/** The projects of an organization that delete themselves, but for branches. */
export const ephemeralQuery = (slug: string) =>
  queryOptions({
    queryKey: ['ephemeral', slug],
    queryFn: async ({ signal }) => ((await answer(api.GET('/v1/projects', { signal }))) ?? []).filter((p) => p.organization_slug === slug && p.expires_at && !p.branch_of),
  })

function useChange<Input, Output>(ref: string, mutationFn: (input: Input) => Promise<Output>) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn,
    gcTime: 0,
    onSettled: () => Promise.all([['branches', ref], ['ephemeral'], ['projects'], ['project', ref]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  })
}

/** Copies the project. The answer has the branch's secrets, this once. */
export const useCreateBranch = (ref: string) =>
  useChange(ref, (body: Schema<'ProjectBranchBody'>) => answer(api.POST('/v1/projects/{ref}/branch', { params: { path: { ref }, query: { reveal: true } }, body })))

/** Replaces a branch's database by a new copy of its source. */
export const useResetBranch = (ref: string) => useChange(ref, (branch: string) => answer(api.POST('/v1/projects/{ref}/reset', { params: { path: { ref: branch } } })))

/** Deletes a branch with its database. */
export const useDeleteBranch = (ref: string) => useChange(ref, (branch: string) => answer(api.DELETE('/v1/projects/{ref}', { params: { path: { ref: branch } } })))

/** Changes when a branch deletes itself: after ttl from now. */
export const useExtendBranch = (ref: string) =>
  useChange(ref, ({ branch, ttl }: { branch: string; ttl: string }) => answer(api.PATCH('/v1/projects/{ref}', { params: { path: { ref: branch } }, body: { ttl } })))
