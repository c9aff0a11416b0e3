import { useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Values } from '../config'

/** Tries the mail server, with changes that are not saved yet. */
export function useTestSmtp(ref: string) {
  return useMutation({
    mutationFn: (test: { config: Values; send: boolean }) => answer(api.POST('/v1/projects/{ref}/config/auth/smtp/test', { params: { path: { ref } }, body: test })),
  })
}
