import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type CustomProvider = Schema<'CustomproviderProvider'>
export type Attributes = Schema<'CustomproviderAttributes'>

/** The identity providers that a project defines itself. */
export const customProvidersQuery = (ref: string) =>
  queryOptions({
    queryKey: ['custom-providers', ref],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/auth/custom-providers', { params: { path: { ref } }, signal }))).providers ?? [],
  })

function useRefreshed<Variables, Data>(ref: string, mutationFn: (variables: Variables) => Promise<Data>) {
  const queries = useQueryClient()
  return useMutation({ gcTime: 0, mutationFn, onSuccess: () => queries.invalidateQueries({ queryKey: customProvidersQuery(ref).queryKey }) })
}

export const useCreateProvider = (ref: string) =>
  useRefreshed(ref, (body: Schema<'CustomproviderCreateBody'>) => answer(api.POST('/v1/projects/{ref}/auth/custom-providers', { params: { path: { ref } }, body })))

export const useUpdateProvider = (ref: string, id: string) =>
  useRefreshed(ref, (body: Attributes) => answer(api.PATCH('/v1/projects/{ref}/auth/custom-providers/{id}', { params: { path: { ref, id } }, body })))

export const useDeleteProvider = (ref: string, id: string) =>
  useRefreshed(ref, () => answer(api.DELETE('/v1/projects/{ref}/auth/custom-providers/{id}', { params: { path: { ref, id } } })))
