import { useState } from 'react'
import { Button } from '@/components/button'
import { ConfirmDialog } from '@/components/dialog'
import { Section } from '@/components/page'
import { Status } from '@/components/state'
import { Time } from '@/components/time'
import { toast } from '@/components/toast'
import type { Schema } from '@/lib/api/client'
import { user as t } from '@/strings/user'
import { useDeleteFactor } from './mutations'
import { RenameFactor } from './renamefactor'
import type { Detail } from './user'
import { phoneOf } from './words'

type Factor = Schema<'UserFactor'>

const nameOf = (f: Factor) => f.friendly_name || (t.factors.types[f.factor_type] ?? f.factor_type)

/** Recovery codes are one factor, whatever is left of them. */
const areCodes = (f: Factor) => f.factor_type === 'recovery_code'

/** The second factors of a user. */
export function Factors({ user, projectRef, mayWrite }: { user: Detail; projectRef: string; mayWrite: boolean }) {
  const [asked, ask] = useState<Factor>()
  const [renamed, rename] = useState<Factor>()
  const remove = useDeleteFactor(projectRef, user.id)
  const f = t.factors
  const factors = user.factors ?? []
  return (
    <Section title={f.title} id="factors">
      {factors.length === 0 ? (
        <p className="text-text-2">{f.empty}</p>
      ) : (
        <ul aria-label={f.label} className="divide-y divide-line border-y border-line">
          {factors.map((factor) => (
            <li key={factor.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
              <div className="min-w-0 flex-1">
                <bdi className="font-medium break-words">{nameOf(factor)}</bdi>{' '}
                <span className="text-text-2">
                  {f.types[factor.factor_type] ?? factor.factor_type} {phoneOf(factor.phone)}
                </span>
                <p className="text-sm text-text-2">
                  {f.created} <Time at={factor.created_at} />, {f.used.toLowerCase()} <Time at={factor.last_challenged_at} none={t.profile.never.toLowerCase()} />
                </p>
              </div>
              <Status tone={factor.status === 'verified' ? 'ok' : 'warn'}>{f[factor.status]}</Status>
              {mayWrite && (
                <span className="flex gap-2">
                  {!areCodes(factor) && (
                    <Button size="small" aria-label={`${f.rename}: ${nameOf(factor)}`} onClick={() => rename(factor)}>
                      {f.rename}
                    </Button>
                  )}
                  <Button size="small" aria-label={`${f.delete}: ${nameOf(factor)}`} onClick={() => ask(factor)}>
                    {f.delete}
                  </Button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {renamed && <RenameFactor projectRef={projectRef} user={user.id} factor={renamed} onClose={() => rename(undefined)} />}
      {asked && (
        <ConfirmDialog open onOpenChange={() => ask(undefined)} title={f.ask(nameOf(asked))} action={f.delete} onConfirm={() => remove.mutateAsync(asked.id).then(() => toast(f.done))}>
          <p>{areCodes(asked) ? f.codesText : f.text}</p>
        </ConfirmDialog>
      )}
    </Section>
  )
}
