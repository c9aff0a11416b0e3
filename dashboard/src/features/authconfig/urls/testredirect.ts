import { useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Values } from '../config'

/** Asks whether users may be sent to a URL, with changes that are not saved yet. */
export function useTestRedirect(ref: string) {
  return useMutation({
    mutationFn: (test: { redirectTo: string; config: Values }) =>
      answer(api.POST('/v1/projects/{ref}/config/auth/test-redirect', { params: { path: { ref } }, body: { redirect_to: test.redirectTo, config: test.config } })),
  })
}
