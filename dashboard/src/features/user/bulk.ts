import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api, type Schema } from '@/lib/api/client'
import { changeInLists } from './users'

export type Action = Schema<'UserBulkBody'>['action']
export type Order = { action: Action; ids: string[]; duration?: string; soft?: boolean }

/** How many users a request names: it is answered soon, and progress is seen. */
const step = 100

const banEnd = (duration: string | undefined) => {
  const hours = duration === 'forever' ? 876_000 : Number(/^(\d+)h$/.exec(duration ?? '')?.[1] ?? 0)
  return new Date(Date.now() + hours * 3_600_000).toISOString()
}

/** Changes many users, a part after the other, and tells what became of each. */
export function useBulk(ref: string) {
  const queries = useQueryClient()
  const [done, setDone] = useState(0)
  const run = useMutation({
    mutationFn: async ({ ids, ...order }: Order) => {
      const outcomes: Schema<'UserOutcome'>[] = []
      setDone(0)
      for (let at = 0; at < ids.length; at += step) {
        const part = ids.slice(at, at + step)
        try {
          const { results } = await answer(api.POST('/v1/projects/{ref}/auth/users/bulk', { params: { path: { ref } }, body: { ...order, ids: part } }))
          outcomes.push(...(results ?? []))
        } catch (error) {
          if (outcomes.length === 0) throw error
          outcomes.push(...ids.slice(at).map((id) => ({ id, result: 'not_attempted' as const, message: error instanceof Error ? error.message : String(error) })))
          break
        }
        setDone(outcomes.length)
      }
      return outcomes
    },
    onSuccess: (outcomes, { action, duration }) => {
      const changed = new Set(outcomes.filter((o) => o.result === 'done').map((o) => o.id))
      changeInLists(queries, ref, (u) => {
        if (!changed.has(u.id)) return u
        if (action === 'delete') return undefined
        if (action === 'ban') return { ...u, banned_until: banEnd(duration) }
        return action === 'unban' ? { ...u, banned_until: null } : u
      })
      void queries.invalidateQueries({ queryKey: ['user', ref] })
    },
  })
  return { ...run, done }
}
