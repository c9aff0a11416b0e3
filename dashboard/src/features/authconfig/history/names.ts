import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Change } from '@/components/diff'
import type { Schema } from '@/lib/api/client'
import { descriptionQuery, type Setting } from '../description'
import { nameOfProvider } from '../providers/providers'
import { fullLabelOf, showValue } from '../words'

/** Settings by name, where the page has no draft. */
export function useNames(ref: string) {
  const description = useQuery(descriptionQuery(ref))
  return useMemo(() => {
    const byName = new Map<string, Setting>((description.data?.sections ?? []).flatMap((s) => (s.settings ?? []).map((one) => [one.name, one])))
    const label = (name: string) => {
      const setting = byName.get(name)
      return setting ? fullLabelOf(setting, nameOfProvider) : name
    }
    const change = (c: Schema<'AuthconfigChange'>): Change => ({
      name: c.name,
      label: label(c.name),
      before: showValue(byName.get(c.name), c.before),
      after: showValue(byName.get(c.name), c.after),
      secret: c.secret,
    })
    return { label, change }
  }, [description.data])
}
