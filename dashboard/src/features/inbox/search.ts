import { z } from 'zod'

/** What the address of an inbox may say. */
export const inboxSearch = z.object({
  message: z.string().max(64).optional().catch(undefined),
  q: z.string().max(200).optional().catch(undefined),
  view: z.enum(['html', 'text', 'source', 'headers']).optional().catch(undefined),
  narrow: z.boolean().optional().catch(undefined),
})
