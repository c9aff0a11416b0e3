// What is known of the identity providers beside their settings.
import { providers as t } from '@/strings/providers'

/** A provider's name as people know it. */
export const nameOfProvider = (id: string) => t.known[id]?.name ?? id.replaceAll('_', ' ').replace(/^./, (c) => c.toUpperCase())
