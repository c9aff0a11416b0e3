import { queryOptions, useMutation } from '@tanstack/react-query'
import { answer, api } from '@/lib/api/client'

/** How the owner role connects, without its password. */
export const connectionQuery = (ref: string) =>
  queryOptions({
    queryKey: ['database', ref, 'connection'],
    queryFn: async ({ signal }) => (await answer(api.GET('/v1/projects/{ref}/config/database/pooler', { params: { path: { ref } }, signal })))?.[0] ?? null,
  })

/** Sets the password of the owner role, and returns it. */
export function useSetPassword(ref: string) {
  return useMutation({
    mutationFn: async () => {
      const password = newPassword()
      await answer(api.PATCH('/v1/projects/{ref}/database/password', { params: { path: { ref } }, body: { password } }))
      return password
    },
    gcTime: 0,
  })
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 32 random letters and digits, which no URL has to escape. */
function newPassword(): string {
  let out = ''
  while (out.length < 32) {
    for (const byte of crypto.getRandomValues(new Uint8Array(48))) {
      // 248 is the largest multiple of 62 in a byte: all letters are as likely.
      if (byte < 248 && out.length < 32) out += letters[byte % 62]
    }
  }
  return out
}
