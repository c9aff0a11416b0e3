import { useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'
import type { Kind } from './builtin'
import type { Texts } from './preview'

/** Sends a mail with sample data to the person's own address. */
export function useSendTest(ref: string, kind: Kind) {
  return useMutation({
    mutationFn: (texts: Texts) => answer(api.POST('/v1/projects/{ref}/config/auth/templates/{kind}/test', { params: { path: { ref, kind } }, body: texts })),
  })
}
