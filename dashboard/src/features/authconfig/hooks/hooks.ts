import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'
import type { Point } from './points'

export type Hook = Schema<'Hook'>
export type Call = Schema<'HookCall'>

/** The hooks of a project with what became of their last calls. */
export const hooksQuery = (ref: string) =>
  queryOptions({
    queryKey: ['hooks', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/auth/hooks', { params: { path: { ref } }, signal }))) ?? [],
    refetchInterval: 5000,
  })

/** The last calls of a hook, the newest first. */
export const callsQuery = (ref: string, point: Point) =>
  queryOptions({
    queryKey: ['hook-calls', ref, point],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/auth/hooks/{point}/calls', { params: { path: { ref, point }, query: { limit: 100 } }, signal }))) ?? [],
    refetchInterval: 5000,
  })

/** Calls the saved hook with a sample user. */
export function useTestHook(ref: string, point: Point) {
  return useMutation({ mutationFn: () => answer(api.POST('/v1/projects/{ref}/auth/hooks/{point}/test', { params: { path: { ref, point } } })) })
}
