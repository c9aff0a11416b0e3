import { useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Values } from '../config'

/** Asks a provider whether the registration can work, with changes that are not saved yet. */
export function useTestProvider(ref: string, name: string) {
  return useMutation({
    mutationFn: (config: Values) => answer(api.POST('/v1/projects/{ref}/config/auth/providers/{name}/test', { params: { path: { ref, name } }, body: { config } })),
  })
}
